//! What every resource has: who asks, whose it is, and who may do what with it (RFC 3744).

use waxwing_formats_mapi::Rights;

use crate::place::Place;
use crate::visit::Visit;
use crate::xml::{Name, Writer, ns};

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privilege {
    All,
    Read,
    Write,
    WriteProperties,
    WriteContent,
    Bind,
    Unbind,
    Unlock,
    ReadAcl,
    WriteAcl,
    ReadCurrentUserPrivilegeSet,
    /// RFC 4791 section 6.1.1.
    ReadFreeBusy,
    /// RFC 6638 section 6.1: of an inbox.
    ScheduleDeliver,
    ScheduleDeliverInvite,
    ScheduleDeliverReply,
    ScheduleQueryFreeBusy,
    /// RFC 6638 section 6.2: of an outbox.
    ScheduleSend,
    ScheduleSendInvite,
    ScheduleSendReply,
    ScheduleSendFreeBusy,
}

impl Privilege {
    pub(crate) fn name(self) -> Name {
        match self {
            Privilege::All => Name::dav("all"),
            Privilege::Read => Name::dav("read"),
            Privilege::Write => Name::dav("write"),
            Privilege::WriteProperties => Name::dav("write-properties"),
            Privilege::WriteContent => Name::dav("write-content"),
            Privilege::Bind => Name::dav("bind"),
            Privilege::Unbind => Name::dav("unbind"),
            Privilege::Unlock => Name::dav("unlock"),
            Privilege::ReadAcl => Name::dav("read-acl"),
            Privilege::WriteAcl => Name::dav("write-acl"),
            Privilege::ReadCurrentUserPrivilegeSet => Name::dav("read-current-user-privilege-set"),
            Privilege::ReadFreeBusy => Name::caldav("read-free-busy"),
            Privilege::ScheduleDeliver => Name::caldav("schedule-deliver"),
            Privilege::ScheduleDeliverInvite => Name::caldav("schedule-deliver-invite"),
            Privilege::ScheduleDeliverReply => Name::caldav("schedule-deliver-reply"),
            Privilege::ScheduleQueryFreeBusy => Name::caldav("schedule-query-freebusy"),
            Privilege::ScheduleSend => Name::caldav("schedule-send"),
            Privilege::ScheduleSendInvite => Name::caldav("schedule-send-invite"),
            Privilege::ScheduleSendReply => Name::caldav("schedule-send-reply"),
            Privilege::ScheduleSendFreeBusy => Name::caldav("schedule-send-freebusy"),
        }
    }

    /// Of an inbox.
    pub(super) const DELIVER: [Privilege; 4] = [
        Privilege::ScheduleDeliver,
        Privilege::ScheduleDeliverInvite,
        Privilege::ScheduleDeliverReply,
        Privilege::ScheduleQueryFreeBusy,
    ];
    /// Of an outbox.
    pub(super) const SEND: [Privilege; 4] = [
        Privilege::ScheduleSend,
        Privilege::ScheduleSendInvite,
        Privilege::ScheduleSendReply,
        Privilege::ScheduleSendFreeBusy,
    ];

    /// What the rights in a folder come to.
    pub(super) fn of_rights(rights: Rights) -> Vec<Privilege> {
        use Privilege as P;
        if rights.contains(Rights::FOLDER_OWNER) {
            return vec![
                P::All,
                P::Read,
                P::ReadFreeBusy,
                P::Write,
                P::WriteProperties,
                P::WriteContent,
                P::Bind,
                P::Unbind,
                P::Unlock,
                P::ReadAcl,
                P::WriteAcl,
                P::ReadCurrentUserPrivilegeSet,
            ];
        }
        let create = rights.contains(Rights::CREATE);
        let edit = rights.contains(Rights::EDIT_ANY);
        let delete = rights.contains(Rights::DELETE_ANY);
        let mut privileges = vec![P::ReadCurrentUserPrivilegeSet];
        let mut push = |held: bool, privilege: P| {
            if held {
                privileges.push(privilege);
            }
        };
        push(rights.contains(Rights::READ_ANY), P::Read);
        push(rights.contains(Rights::READ_ANY), P::ReadFreeBusy);
        // `write` would promise `write-properties` too, which is the owner's.
        push(edit, P::WriteContent);
        push(create, P::Bind);
        push(delete, P::Unbind);
        privileges
    }

    /// Of what nobody changes.
    pub(super) fn read_only() -> Vec<Privilege> {
        vec![Privilege::Read, Privilege::ReadCurrentUserPrivilegeSet]
    }
}

/// What a resource says of itself.
pub(super) struct Common<'v> {
    pub(super) visit: &'v Visit,
    /// The address of whose it is.
    pub(super) owner: Option<&'v str>,
    pub(super) privileges: Vec<Privilege>,
    /// The reports that it answers.
    pub(super) reports: &'static [Name],
}

/// Reports that every resource answers.
pub(super) const REPORTS: [Name; 4] = [
    Name::dav("expand-property"),
    Name::dav("principal-match"),
    Name::dav("principal-property-search"),
    Name::dav("principal-search-property-set"),
];

/// The names of [`Common::write`] that `allprop` tells of.
pub(super) const NAMES: [Name; 5] = [
    Name::dav("current-user-principal"),
    Name::dav("principal-collection-set"),
    Name::dav("owner"),
    Name::dav("current-user-privilege-set"),
    Name::dav("supported-report-set"),
];

impl Common<'_> {
    pub(super) fn write(&self, name: &Name, out: &mut Writer) -> bool {
        if name.ns != ns::DAV {
            return false;
        }
        match &*name.local {
            "current-user-principal" => hrefs(out, name, [self.visit.place()]),
            "principal-collection-set" => hrefs(out, name, [Place::Principals]),
            "owner" => match self.owner {
                Some(owner) => hrefs(out, name, [Place::Principal(owner.to_owned())]),
                None => return false,
            },
            "current-user-privilege-set" => {
                out.open(name);
                for privilege in &self.privileges {
                    write_privilege(out, *privilege);
                }
                out.close(name);
            }
            "supported-report-set" => {
                out.open(name);
                for report in self.reports.iter().chain(&REPORTS) {
                    out.open(&Name::dav("supported-report"));
                    out.open(&Name::dav("report"));
                    out.empty(report);
                    out.close(&Name::dav("report"));
                    out.close(&Name::dav("supported-report"));
                }
                out.close(name);
            }
            "supported-privilege-set" => write_supported(out, name),
            "acl-restrictions" => {
                out.open(name);
                out.empty(&Name::dav("grant-only"));
                out.empty(&Name::dav("no-invert"));
                out.close(name);
            }
            "inherited-acl-set" | "lockdiscovery" | "supportedlock" => out.empty(name),
            _ => return false,
        }
        true
    }
}

/// A property that holds paths.
pub(super) fn hrefs(out: &mut Writer, name: &Name, places: impl IntoIterator<Item = Place>) {
    out.open(name);
    for place in places {
        out.leaf(&Name::dav("href"), &place.path());
    }
    out.close(name);
}

pub(super) fn write_privilege(out: &mut Writer, privilege: Privilege) {
    out.open(&Name::dav("privilege"));
    out.empty(&privilege.name());
    out.close(&Name::dav("privilege"));
}

/// RFC 3744 section 5.3: which privilege contains which.
fn write_supported(out: &mut Writer, name: &Name) {
    use Privilege as P;
    let tree: [(P, &[P]); 5] = [
        (P::Read, &[P::ReadFreeBusy]),
        (
            P::Write,
            &[P::WriteProperties, P::WriteContent, P::Bind, P::Unbind],
        ),
        (P::ReadAcl, &[P::ReadCurrentUserPrivilegeSet]),
        (P::WriteAcl, &[]),
        (P::Unlock, &[]),
    ];
    let supported = Name::dav("supported-privilege");
    let open = |out: &mut Writer, privilege: P| {
        out.open(&supported);
        write_privilege(out, privilege);
        out.leaf(&Name::dav("description"), &privilege.name().local);
    };
    out.open(name);
    open(out, P::All);
    for (privilege, contained) in tree {
        open(out, privilege);
        for inner in contained {
            open(out, *inner);
            out.close(&supported);
        }
        out.close(&supported);
    }
    out.close(&supported);
    out.close(name);
}
