//! The chunks of a message that comes with BDAT, as few bodies.
//!
//! A sender may cut a message into thousands of chunks; the host keeps few bodies over a hand-over. So the small ones at the end
//! are put together from time to time. What is larger than all behind it stays as it is: every octet is then copied no more
//! often than the message can be halved.

use waxwing_sdk::Fault;
use waxwing_sdk::bodies::{self, Body};

/// Bodies that there are at the most; the host keeps 64.
const BODIES: usize = 48;

/// Puts bodies together when there are many.
pub(crate) fn merge(chunks: &mut Vec<Body>) -> Result<(), Fault> {
    if chunks.len() < BODIES {
        return Ok(());
    }
    let sizes: Vec<u64> = chunks.iter().map(Body::size).collect();
    let tail = chunks.split_off(first_of_the_tail(&sizes));
    let pieces: Vec<_> = tail.iter().map(bodies::whole).collect();
    chunks.push(bodies::compose(&pieces)?);
    Ok(())
}

/// The first that is no larger than all behind it together.
fn first_of_the_tail(sizes: &[u64]) -> usize {
    let mut behind: u64 = sizes.iter().sum();
    let small = sizes.iter().position(|&size| {
        behind -= size;
        size <= behind
    });
    small.unwrap_or(sizes.len().saturating_sub(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_of_chunks_are_few_bodies_with_the_same_octets() {
        let (mut chunks, mut whole) = (Vec::new(), Vec::new());
        for number in 0..5_000u32 {
            let octets = vec![number as u8; (number % 7) as usize];
            chunks.push(Body::of(&octets));
            whole.extend(octets);
            merge(&mut chunks).unwrap();
            assert!(chunks.len() < BODIES);
        }
        let read: Vec<u8> = chunks
            .iter()
            .flat_map(|chunk| chunk.read(0, u32::MAX).unwrap())
            .collect();
        assert_eq!(read, whole);
    }

    #[test]
    fn what_is_larger_than_the_rest_is_left_alone() {
        assert_eq!(first_of_the_tail(&[100, 40, 3, 3, 3]), 2);
        assert_eq!(first_of_the_tail(&[8, 4, 2, 1]), 2);
        assert_eq!(first_of_the_tail(&[0, 0]), 0);
    }
}
