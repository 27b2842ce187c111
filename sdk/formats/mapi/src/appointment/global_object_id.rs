use super::cursor::Cursor;
use crate::MapiError;

/// Which meeting (MS-OXOCAL 2.2.1.27): the same in the copy of everybody; with a date, which instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GlobalObjectId {
    /// Year, month and day of an instance; zero for the whole. PidLidCleanGlobalObjectId has it always zero.
    pub date: (u16, u8, u8),
    /// When it was made, 100 ns since 1601.
    pub creation_time: u64,
    /// What names it.
    pub data: Vec<u8>,
}

/// All of them begin so.
const PREFIX: [u8; 16] = [
    4, 0, 0, 0, 0x82, 0, 0xE0, 0, 0x74, 0xC5, 0xB7, 0x10, 0x1A, 0x82, 0xE0, 8,
];
/// The data of one that was made of a UID of another system (MS-OXCICAL 2.1.3.1.1.20.26).
const UID: &[u8] = b"vCal-Uid\x01\0\0\0";
/// Octets of a UID: what PidLidGlobalObjectId can take and clients expect.
const MAX_UID: usize = 2_048;

impl GlobalObjectId {
    /// Reads PidLidGlobalObjectId or PidLidCleanGlobalObjectId.
    ///
    /// # Errors
    /// [`MapiError::StructureDamaged`].
    pub fn decode(octets: &[u8]) -> Result<Self, MapiError> {
        let from = &mut Cursor::new(octets, "global object id");
        if from.array()? != PREFIX {
            return Err(from.damaged());
        }
        let [high, low, month, day] = from.array()?;
        let creation_time = u64::from_le_bytes(from.array()?);
        from.take(8)?;
        Ok(GlobalObjectId {
            date: (u16::from_be_bytes([high, low]), month, day),
            creation_time,
            data: from.block()?,
        })
    }

    /// As octets.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = PREFIX.to_vec();
        out.extend(self.date.0.to_be_bytes());
        out.extend([self.date.1, self.date.2]);
        out.extend(self.creation_time.to_le_bytes());
        out.extend([0; 8]);
        out.extend((self.data.len() as u32).to_le_bytes());
        out.extend(&self.data);
        out
    }

    /// The id of a UID. One that is the hexadecimal form of an id is that id; any other is wrapped.
    pub fn of_uid(uid: &str) -> Self {
        if let Some(id) = from_hex(uid).and_then(|octets| GlobalObjectId::decode(&octets).ok()) {
            return GlobalObjectId {
                date: (0, 0, 0),
                ..id
            };
        }
        let mut data = UID.to_vec();
        data.extend(uid.bytes().take(MAX_UID));
        data.push(0);
        GlobalObjectId {
            date: (0, 0, 0),
            creation_time: 0,
            data,
        }
    }

    /// The UID: what was wrapped, or the hexadecimal form without the date.
    pub fn uid(&self) -> String {
        if let Some(wrapped) = self.data.strip_prefix(UID) {
            let end = wrapped
                .iter()
                .position(|octet| *octet == 0)
                .unwrap_or(wrapped.len());
            return String::from_utf8_lossy(wrapped.get(..end).unwrap_or_default()).into_owned();
        }
        let clean = GlobalObjectId {
            date: (0, 0, 0),
            ..self.clone()
        };
        clean
            .encode()
            .iter()
            .map(|octet| format!("{octet:02X}"))
            .collect()
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() < 80
        || text.len() > 2 * MAX_UID
        || !text.len().is_multiple_of(2)
        || !text.is_ascii()
    {
        return None;
    }
    let pair = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OUTLOOK: &str = "040000008200E00074C5B7101A82E00807DB0112C0A52CE8E7DFCA01000000000000000010000000FFAFECEBDB4A2E4FA02EBC759661827B";

    #[test]
    fn an_id_of_outlook_is_read_and_written() {
        let octets = from_hex(OUTLOOK).unwrap();
        let id = GlobalObjectId::decode(&octets).unwrap();
        assert_eq!(
            (id.date, id.data.len(), id.creation_time),
            ((2011, 1, 18), 16, 0x01CA_DFE7_E82C_A5C0)
        );
        assert_eq!(id.encode(), octets);
        assert_eq!(id.uid(), OUTLOOK.replace("07DB0112", "00000000"));
        assert_eq!(
            GlobalObjectId::of_uid(&id.uid()),
            GlobalObjectId {
                date: (0, 0, 0),
                ..id
            }
        );
    }

    proptest! {
        #[test]
        fn a_uid_comes_back(uid in "[^\0]{1,60}") {
            let id = GlobalObjectId::of_uid(&uid);
            prop_assert_eq!(GlobalObjectId::decode(&id.encode()).unwrap().uid(), uid);
        }

        #[test]
        fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = GlobalObjectId::decode(&octets);
            let _ = GlobalObjectId::decode(&[PREFIX.as_slice(), &octets].concat());
        }
    }
}
