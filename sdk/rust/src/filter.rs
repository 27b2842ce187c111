//! A person's own filter: what becomes of a message that arrives for her, by the script that she has made active.
//!
//! An instance serves one message. It answers with steps, which the host carries out: it stores first, then sends, then
//! remembers. An error keeps the message, and so does a trap.

pub use crate::bindings::filter::exports::waxwing::hook::delivery_filter::{
    Arrival, Deposit, Memory, Post, Refusal, Step,
};

/// Filters mail at delivery.
pub trait DeliveryFilter: 'static {
    /// What is to be done with a message; no step at all throws it away.
    ///
    /// # Errors
    /// Why nothing can be said, in one line for the log.
    fn filter(arrival: Arrival) -> Result<Vec<Step>, String>;
}

/// What a filter may ask about the mailbox that its call is for. Outside a host nothing is there.
pub mod surroundings {
    #[cfg(in_host)]
    use crate::bindings::waxwing::hook::filter_surroundings as host;

    /// Whether mail can be filed into a folder of that name.
    #[must_use]
    pub fn has_folder(name: &str) -> bool {
        #[cfg(in_host)]
        return host::has_folder(name);
        #[cfg(not(in_host))]
        name.eq_ignore_ascii_case("INBOX")
    }

    /// Whether a folder has a special use: the folder of that name, or any.
    #[must_use]
    pub fn has_special_use(special_use: &str, folder: Option<&str>) -> bool {
        #[cfg(in_host)]
        return host::has_special_use(special_use, folder);
        #[cfg(not(in_host))]
        {
            let _ = (special_use, folder);
            false
        }
    }

    /// Another script of the same owner.
    #[must_use]
    pub fn script(name: &str) -> Option<String> {
        #[cfg(in_host)]
        return host::script(name);
        #[cfg(not(in_host))]
        {
            let _ = name;
            None
        }
    }

    /// Whether something was remembered that is not over.
    #[must_use]
    pub fn remembers(key: &str) -> bool {
        #[cfg(in_host)]
        return host::remembers(key);
        #[cfg(not(in_host))]
        {
            let _ = key;
            false
        }
    }
}

/// Makes a component of a type that is [`DeliveryFilter`].
///
/// Outside a host (native builds, tests) it only checks that the type is one.
#[macro_export]
macro_rules! delivery_filter {
    ($filter:ty) => {
        const _: fn() = || {
            fn is_a_filter<T: $crate::filter::DeliveryFilter>() {}
            is_a_filter::<$filter>();
        };
        $crate::__export_filter!($filter);
    };
}

#[cfg(not(in_host))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_filter {
    ($filter:ty) => {};
}

#[cfg(in_host)]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_filter {
    ($filter:ty) => {
        const _: () = {
            struct Component;
            impl $crate::bindings::filter::exports::waxwing::hook::delivery_filter::Guest
                for Component
            {
                fn filter(
                    arrival: $crate::filter::Arrival,
                ) -> Result<Vec<$crate::filter::Step>, String> {
                    <$filter as $crate::filter::DeliveryFilter>::filter(arrival)
                }
            }
    $crate::bindings::filter::export!(Component with_types_in $crate::bindings::filter);
        };
    };
}
