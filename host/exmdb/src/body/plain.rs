//! zstd frames of one raw block (RFC 8878 sections 3.1.1.1 and 3.1.1.2.2): octets as they are, in a form that every zstd reads.

use std::ops::Range;

/// Magic number, then a descriptor: one segment, and the content's size in four octets.
const HEAD: [u8; 5] = [0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000];
/// Octets before the content: the head, its size, the block's header.
const BEFORE: usize = HEAD.len() + 4 + 3;
/// A block holds no more (RFC 8878 section 3.1.1.2.4).
pub(super) const LONGEST: usize = 128 * 1024;

/// Appends content of at most [`LONGEST`] octets as a frame.
pub(super) fn write(out: &mut Vec<u8>, content: &[u8]) {
    debug_assert!(content.len() <= LONGEST);
    let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&HEAD);
    out.extend_from_slice(&size.to_le_bytes());
    // The last block, its type raw.
    let [a, b, c, _] = (size << 3 | 1).to_le_bytes();
    out.extend_from_slice(&[a, b, c]);
    out.extend_from_slice(content);
}

/// Where the content of a frame stands, when it is of this form.
pub(super) fn content(frame: &[u8]) -> Option<Range<usize>> {
    let rest = frame.strip_prefix(&HEAD)?;
    let (size, rest) = rest.split_first_chunk::<4>()?;
    let ([a, b, c], rest) = rest.split_first_chunk::<3>()?;
    let size = u32::from_le_bytes(*size);
    let block = u32::from_le_bytes([*a, *b, *c, 0]);
    (block == (size << 3 | 1) && rest.len() == size as usize).then_some(BEFORE..frame.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn zstd_reads_what_is_written_and_so_do_we(text in prop::collection::vec(any::<u8>(), 0..3000)) {
            let mut frame = Vec::new();
            write(&mut frame, &text);
            prop_assert_eq!(&frame[content(&frame).unwrap()], &text[..]);
            prop_assert_eq!(zstd::stream::decode_all(&frame[..]).unwrap(), text);
        }

        #[test]
        fn a_frame_of_zstd_s_own_is_left_to_zstd(text in prop::collection::vec(any::<u8>(), 0..3000), cut in 0usize..40) {
            let packed = zstd::bulk::compress(&text, -1).unwrap();
            prop_assert_eq!(content(&packed), None);
            let mut frame = Vec::new();
            write(&mut frame, &text);
            prop_assert_eq!(content(&frame[..frame.len().saturating_sub(cut + 1)]), None);
        }
    }
}
