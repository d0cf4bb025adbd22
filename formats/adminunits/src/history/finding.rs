//! What the lists leave open or contradict each other in. Findings do not stop the import; they are shown beside it.

use jiff::civil::Date;

use crate::code::Code;

/// A gap or a contradiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// No list says what an old unit became.
    NoSuccessor {
        /// Its code.
        code: Code,
        /// Its full name.
        name: String,
    },
    /// No list says what a new unit was formed from.
    NoPredecessor {
        /// Its code.
        code: Code,
        /// Its full name.
        name: String,
    },
    /// Two lists name the same unit differently and no dated change explains it.
    NamesDiffer {
        /// Its code.
        code: Code,
        /// The name used.
        used: String,
        /// The other name.
        other: String,
    },
    /// A dated change does not fit the state it should change, and was left out.
    ChangeDoesNotFit {
        /// The unit's code.
        code: Code,
        /// The day of the change.
        on: Date,
        /// What the change expects.
        expected: String,
        /// What the lists say.
        found: String,
    },
    /// The number of communes of a type on the day of the reform differs from the other source's.
    CountsDiffer {
        /// The province.
        province: Code,
        /// Xã, phường, đặc khu by the history.
        here: [usize; 3],
        /// The same by the other source.
        there: [usize; 3],
    },
}

impl Finding {
    /// In Vietnamese.
    pub fn vi(&self) -> String {
        match self {
            Self::NoSuccessor { code, name } => format!("không rõ {name} ({code}) trở thành đơn vị nào"),
            Self::NoPredecessor { code, name } => {
                format!("không rõ {name} ({code}) hình thành từ đơn vị nào")
            }
            Self::NamesDiffer { code, used, other } => {
                format!("mã {code}: dùng tên “{used}”, danh sách khác ghi “{other}”")
            }
            Self::ChangeDoesNotFit { code, on, expected, found } => {
                format!(
                    "mã {code}: bỏ qua thay đổi ngày {on} vì trước đó là “{found}”, không phải “{expected}”"
                )
            }
            Self::CountsDiffer { province, here, there } => {
                format!("tỉnh {province}: có {}, nguồn khác ghi {}", counts_vi(here), counts_vi(there))
            }
        }
    }

    /// In English.
    pub fn en(&self) -> String {
        match self {
            Self::NoSuccessor { code, name } => format!("what {name} ({code}) became is unknown"),
            Self::NoPredecessor { code, name } => format!("what {name} ({code}) was formed from is unknown"),
            Self::NamesDiffer { code, used, other } => {
                format!("code {code}: “{used}” is used, another list has “{other}”")
            }
            Self::ChangeDoesNotFit { code, on, expected, found } => {
                format!(
                    "code {code}: the change of {on} was left out: before it stands “{found}”, not “{expected}”"
                )
            }
            Self::CountsDiffer { province, here, there } => {
                format!("province {province}: {here:?} (xã, phường, đặc khu), another source has {there:?}")
            }
        }
    }
}

fn counts_vi(counts: &[usize; 3]) -> String {
    let [communes, wards, zones] = counts;
    format!("{communes} xã, {wards} phường, {zones} đặc khu")
}
