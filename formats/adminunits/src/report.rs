//! What became of every row: accepted, or refused with line and reason. Nothing is dropped silently: for each list
//! `rows == accepted + refused` (or the list as a whole was refused).

/// The reading of all lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// One per list, in reading order.
    pub lists: Vec<ListReport>,
}

impl Report {
    /// Rows in all lists.
    pub fn rows(&self) -> usize {
        self.lists.iter().map(|l| l.rows).sum()
    }

    /// Rows taken.
    pub fn accepted(&self) -> usize {
        self.lists.iter().map(|l| l.accepted).sum()
    }

    /// Rows refused, including all rows of lists refused as a whole.
    pub fn refused(&self) -> usize {
        self.lists.iter().map(ListReport::refused_rows).sum()
    }

    /// Rows taken after a repair.
    pub fn notes(&self) -> usize {
        self.lists.iter().map(|l| l.notes.len()).sum()
    }
}

/// The reading of one list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListReport {
    /// Its name, for example `old63_wards`.
    pub list: String,
    /// Rows below the header; empty lines do not count.
    pub rows: usize,
    /// Rows taken.
    pub accepted: usize,
    /// Rows not taken.
    pub refused: Vec<Refused>,
    /// Rows taken after a repair, or taken without one of their fields.
    pub notes: Vec<Note>,
    /// Why the list as a whole could not be read; then no row was taken.
    pub fault: Option<Reason>,
}

impl ListReport {
    /// Rows not taken.
    pub fn refused_rows(&self) -> usize {
        if self.fault.is_some() { self.rows } else { self.refused.len() }
    }
}

/// A row not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Line in the file; the header is line 1.
    pub line: usize,
    /// Why.
    pub reason: Reason,
    /// The beginning of the row, for finding it.
    pub text: String,
}

/// A repair or an omission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Line in the file; the header is line 1.
    pub line: usize,
    /// What was done.
    pub what: Repair,
}

/// What was repaired in, or left out of, an accepted row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// Outer or no-break blanks, or another Unicode form.
    Blanks,
    /// The letter case of the type: "xã Bắc Sơn".
    TypeCase,
    /// The type column says something else than the full name; the name decides.
    TypeOfName,
    /// The text on what the unit was formed from belongs to another unit of the same name.
    FormedFromOfAnother,
}

impl Repair {
    /// In Vietnamese.
    pub fn vi(&self) -> &'static str {
        match self {
            Self::Blanks => "đã bỏ khoảng trắng thừa hoặc chuẩn hóa bảng mã",
            Self::TypeCase => "đã viết hoa chữ đầu của loại đơn vị",
            Self::TypeOfName => "cột type khác với tên đầy đủ; lấy theo tên",
            Self::FormedFromOfAnother => {
                "không dùng cột formed_from_text: nội dung thuộc về đơn vị khác cùng tên"
            }
        }
    }

    /// In English.
    pub fn en(&self) -> &'static str {
        match self {
            Self::Blanks => "superfluous blanks removed or Unicode form normalised",
            Self::TypeCase => "first letter of the type capitalised",
            Self::TypeOfName => "the column type differs from the full name; the name decides",
            Self::FormedFromOfAnother => {
                "formed_from_text not used: it belongs to another unit of the same name"
            }
        }
    }
}

/// Why a row, or a whole list, was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// A quoted field that does not end on its line, or text after the closing quote.
    Quotes,
    /// Not as many fields as the header has.
    Fields {
        /// Columns in the header.
        expected: usize,
        /// Fields in the row.
        found: usize,
    },
    /// Larger than any real list or row.
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The list has no header line.
    NoHeader,
    /// The header lacks a column.
    MissingColumn(&'static str),
    /// A field that may not be empty.
    Empty(&'static str),
    /// A field whose value cannot be read.
    Bad {
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
    },
    /// The same code again.
    Duplicate {
        /// The code.
        code: String,
        /// The line where it stood first.
        first_line: usize,
    },
    /// Refers to a code that was not accepted.
    Unknown {
        /// The column.
        column: &'static str,
        /// The code.
        code: String,
    },
    /// Two fields, or two lists, say different things.
    Contradiction {
        /// The column.
        column: &'static str,
        /// What this row says.
        here: String,
        /// What the other place says.
        there: String,
    },
}

impl Reason {
    /// In Vietnamese.
    pub fn vi(&self) -> String {
        match self {
            Self::NotUtf8 => "không phải bảng mã UTF-8".into(),
            Self::Quotes => "dấu ngoặc kép không khép hoặc đặt sai chỗ".into(),
            Self::Fields { expected, found } => format!("có {found} cột, cần {expected} cột"),
            Self::TooLong { limit } => format!("dài hơn mức cho phép ({limit} byte)"),
            Self::NoHeader => "thiếu dòng tiêu đề".into(),
            Self::MissingColumn(column) => format!("thiếu cột {column}"),
            Self::Empty(column) => format!("cột {column} để trống"),
            Self::Bad { column, value } => format!("cột {column}: không đọc được giá trị “{value}”"),
            Self::Duplicate { code, first_line } => format!("mã {code} đã có ở dòng {first_line}"),
            Self::Unknown { column, code } => format!("cột {column}: không có đơn vị mang mã {code}"),
            Self::Contradiction { column, here, there } => {
                format!("cột {column}: ở đây là “{here}”, nơi khác là “{there}”")
            }
        }
    }

    /// In English.
    pub fn en(&self) -> String {
        match self {
            Self::NotUtf8 => "not UTF-8".into(),
            Self::Quotes => "quotation mark not closed or misplaced".into(),
            Self::Fields { expected, found } => format!("{found} fields where {expected} are needed"),
            Self::TooLong { limit } => format!("longer than allowed ({limit} bytes)"),
            Self::NoHeader => "no header line".into(),
            Self::MissingColumn(column) => format!("column {column} is missing"),
            Self::Empty(column) => format!("column {column} is empty"),
            Self::Bad { column, value } => format!("column {column}: cannot read “{value}”"),
            Self::Duplicate { code, first_line } => {
                format!("code {code} already stands in line {first_line}")
            }
            Self::Unknown { column, code } => format!("column {column}: no unit has the code {code}"),
            Self::Contradiction { column, here, there } => {
                format!("column {column}: here “{here}”, elsewhere “{there}”")
            }
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.en())
    }
}
