//! What a member may do in a folder: PidTagMemberRights (MS-OXCPERM 2.2.7).

bitflags::bitflags! {
    /// Bits of PidTagMemberRights.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Rights: u32 {
        /// Read any item.
        const READ_ANY = 0x0001;
        /// Create items.
        const CREATE = 0x0002;
        /// Change items that the member created.
        const EDIT_OWNED = 0x0008;
        /// Delete items that the member created.
        const DELETE_OWNED = 0x0010;
        /// Change any item.
        const EDIT_ANY = 0x0020;
        /// Delete any item.
        const DELETE_ANY = 0x0040;
        /// Create subfolders.
        const CREATE_SUBFOLDER = 0x0080;
        /// Administer the folder: its name, place and permissions.
        const FOLDER_OWNER = 0x0100;
        /// Is told about the folder's troubles; grants nothing.
        const FOLDER_CONTACT = 0x0200;
        /// See that the folder exists.
        const FOLDER_VISIBLE = 0x0400;
        /// See busy times.
        const FREE_BUSY_SIMPLE = 0x0800;
        /// See busy times with subject and place.
        const FREE_BUSY_DETAILED = 0x1000;
    }
}

impl Rights {
    /// Everything the mailbox's owner has: all rights but being its contact.
    pub const OWNER: Rights = Rights::all().difference(Rights::FOLDER_CONTACT);

    /// The permission levels of Outlook's folder properties, the least first.
    pub const LEVELS: [(&'static str, Rights); 9] = {
        let reviewer = Rights::READ_ANY.union(Rights::FOLDER_VISIBLE);
        let nonediting = reviewer.union(Rights::CREATE).union(Rights::DELETE_OWNED);
        let author = nonediting.union(Rights::EDIT_OWNED);
        let editor = author.union(Rights::EDIT_ANY).union(Rights::DELETE_ANY);
        [
            ("none", Rights::empty()),
            ("contributor", Rights::CREATE.union(Rights::FOLDER_VISIBLE)),
            ("reviewer", reviewer),
            ("nonediting-author", nonediting),
            ("author", author),
            ("publishing-author", author.union(Rights::CREATE_SUBFOLDER)),
            ("editor", editor),
            ("publishing-editor", editor.union(Rights::CREATE_SUBFOLDER)),
            ("owner", Rights::OWNER),
        ]
    };

    /// The rights of a level, whatever the case of its name.
    pub fn of_level(name: &str) -> Option<Rights> {
        let mut levels = Self::LEVELS.iter();
        levels
            .find(|(level, _)| level.eq_ignore_ascii_case(name))
            .map(|(_, rights)| *rights)
    }

    /// The level that is just these rights; seeing busy times and being the contact make no difference.
    pub fn level(self) -> Option<&'static str> {
        let aside = Rights::FOLDER_CONTACT | Rights::FREE_BUSY_SIMPLE | Rights::FREE_BUSY_DETAILED;
        let mut levels = Self::LEVELS.iter();
        levels
            .find(|(_, rights)| rights.difference(aside) == self.difference(aside))
            .map(|(level, _)| *level)
    }
}

#[cfg(test)]
mod tests {
    use super::Rights;

    #[test]
    fn the_owner_has_all_rights_but_contact() {
        assert_eq!(Rights::OWNER.bits(), 0x1DFB);
    }

    #[test]
    fn levels_are_those_of_outlook() {
        for (name, bits) in [
            ("none", 0),
            ("reviewer", 0x401),
            ("Author", 0x41B),
            ("editor", 0x47B),
            ("publishing-editor", 0x4FB),
        ] {
            let rights = Rights::of_level(name).unwrap();
            assert_eq!(rights.bits(), bits, "{name}");
            assert!(rights.level().unwrap().eq_ignore_ascii_case(name));
        }
        let own_contact = Rights::from_bits_retain(0x7FB);
        assert_eq!(own_contact.level(), Some("owner"));
        assert_eq!(Rights::EDIT_ANY.level(), None);
    }
}
