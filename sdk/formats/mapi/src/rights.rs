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
}

#[cfg(test)]
mod tests {
    use super::Rights;

    #[test]
    fn the_owner_has_all_rights_but_contact() {
        assert_eq!(Rights::OWNER.bits(), 0x1DFB);
    }
}
