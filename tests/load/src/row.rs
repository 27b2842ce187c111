//! One figure, alone or beside a peer's, and how it is printed.

use std::io::Write;

use clap::Args;
use serde::Serialize;

/// Which way is ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    More,
    Less,
}

/// A figure of Waxwing's, and of a peer in the same run where there is one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// Who it is compared to.
    pub(crate) peer: Option<String>,
    pub(crate) peer_value: Option<f64>,
    /// Above 1 when Waxwing is ahead, whether more or less is better.
    pub(crate) ratio: Option<f64>,
}

impl Row {
    /// A figure that stands alone.
    pub(crate) fn alone(name: impl Into<String>, value: f64, unit: &'static str) -> Row {
        Row {
            name: name.into(),
            value,
            unit,
            peer: None,
            peer_value: None,
            ratio: None,
        }
    }

    /// The same figure, beside a peer's.
    pub(crate) fn beside(self, peer: impl Into<String>, peer_value: f64, better: Better) -> Row {
        let (ahead, behind) = match better {
            Better::More => (self.value, peer_value),
            Better::Less => (peer_value, self.value),
        };
        Row {
            peer: Some(peer.into()),
            peer_value: Some(peer_value),
            ratio: (behind > 0.0).then(|| ahead / behind),
            ..self
        }
    }
}

/// Which rows are wanted, and how they are shown. Every family takes these.
#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// One JSON object a line, in place of a table.
    #[arg(long)]
    json: bool,
    /// Only these rows; may be given several times.
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
}

impl Wanted {
    /// Whether a row was asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    /// Fails when a row was asked for that the family does not have.
    pub(crate) fn check(&self, known: &[&str]) -> anyhow::Result<()> {
        match self
            .only
            .iter()
            .find(|only| !known.contains(&only.as_str()))
        {
            Some(unknown) => anyhow::bail!("no row `{unknown}`; there are {}", known.join(", ")),
            None => Ok(()),
        }
    }

    /// Shows a row: at once as JSON, or as a line of the table.
    pub(crate) fn show(&self, row: &Row) {
        let line = if self.json {
            serde_json::to_string(row).unwrap_or_default()
        } else {
            table_line(row)
        };
        // A reader who went away is no reason to stop measuring.
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    /// The table's head; nothing as JSON.
    pub(crate) fn head(&self) {
        if !self.json {
            let _ = writeln!(
                std::io::stdout(),
                "{:<34}{:>14} {:<10}{:>14}  {:>6}  PEER",
                "ROW",
                "VALUE",
                "UNIT",
                "PEER VALUE",
                "RATIO"
            );
        }
    }

    /// Tells on standard error what is being done, so that a long run is not silent.
    pub(crate) fn progress(&self, doing: &str) {
        eprintln!("… {doing}");
    }
}

fn table_line(row: &Row) -> String {
    let number = |value: f64| match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    };
    let optional =
        |value: Option<f64>, show: &dyn Fn(f64) -> String| value.map_or(String::new(), show);
    format!(
        "{:<34}{:>14} {:<10}{:>14}  {:>6}  {}",
        row.name,
        number(row.value),
        row.unit,
        optional(row.peer_value, &number),
        optional(row.ratio, &|ratio| format!("{ratio:.2}")),
        row.peer.as_deref().unwrap_or_default(),
    )
    .trim_end()
    .to_owned()
}

/// The middle of some measurements; of an even number, the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.get(middle.wrapping_sub(1))) {
        (Some(upper), Some(lower)) if values.len().is_multiple_of(2) => {
            f64::midpoint(*lower, *upper)
        }
        (Some(middle), _) => *middle,
        (None, _) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_above_one_is_ahead_whichever_way_is_better() {
        let rate = Row::alone("append_per_s_one", 300.0, "1/s").beside("p", 100.0, Better::More);
        let time = Row::alone("select_ms", 2.0, "ms").beside("p", 6.0, Better::Less);
        assert_eq!((rate.ratio, time.ratio), (Some(3.0), Some(3.0)));
    }

    #[test]
    fn a_row_without_a_peer_has_nulls() {
        let row = Row::alone("idle_plain_bytes", 6144.0, "bytes");
        assert_eq!(
            serde_json::to_string(&row).unwrap(),
            r#"{"name":"idle_plain_bytes","value":6144.0,"unit":"bytes","peer":null,"peer_value":null,"ratio":null}"#
        );
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
    }
}
