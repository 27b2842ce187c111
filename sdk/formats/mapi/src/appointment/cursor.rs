use crate::MapiError;

/// Reads little-endian fields off the front.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Cursor<'a> {
    /// `what` names the structure in the error.
    pub(super) fn new(octets: &'a [u8], what: &'static str) -> Self {
        Cursor { rest: octets, what }
    }

    pub(super) fn damaged(&self) -> MapiError {
        MapiError::StructureDamaged(self.what)
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], MapiError> {
        let (head, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], MapiError> {
        let damaged = self.damaged();
        self.take(N)?.try_into().map_err(|_| damaged)
    }

    pub(super) fn u8(&mut self) -> Result<u8, MapiError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, MapiError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, MapiError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn i32(&mut self) -> Result<i32, MapiError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    /// A count and so many numbers.
    pub(super) fn numbers(&mut self) -> Result<Vec<u32>, MapiError> {
        let count = self.u32()? as usize;
        let octets = self.take(count.checked_mul(4).ok_or_else(|| self.damaged())?)?;
        let number = |four: &[u8]| four.try_into().map(u32::from_le_bytes).unwrap_or_default();
        Ok(octets.chunks_exact(4).map(number).collect())
    }

    /// A count and so many octets.
    pub(super) fn block(&mut self) -> Result<Vec<u8>, MapiError> {
        let count = self.u32()? as usize;
        Ok(self.take(count)?.to_vec())
    }

    /// A count of characters and so many of UTF-16.
    pub(super) fn wide(&mut self) -> Result<String, MapiError> {
        let count = usize::from(self.u16()?);
        let octets = self.take(count * 2)?;
        Ok(from_utf16(octets))
    }
}

pub(super) fn from_utf16(octets: &[u8]) -> String {
    let unit = |two: &[u8]| two.try_into().map(u16::from_le_bytes).unwrap_or_default();
    let units: Vec<u16> = octets.chunks_exact(2).map(unit).collect();
    String::from_utf16_lossy(&units)
}
