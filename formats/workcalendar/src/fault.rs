//! What can be wrong with a calendar file, in both languages.

use jiff::civil::Date;

/// A fault of a calendar file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct LoadError {
    /// Where; the first line is 1.
    pub line: usize,
    /// What.
    pub fault: Fault,
}

/// What is wrong with a calendar file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Larger than any calendar.
    #[error("the file is larger than 1 MiB")]
    TooLarge,
    /// Not the form of a calendar file; in the words of the reader (English).
    #[error("{0}")]
    Form(String),
    /// No such day.
    #[error("{0:?} is not a day")]
    Date(String),
    /// Weekdays are `mon` to `sun`, joined by `-` or `,`.
    #[error("{0:?} does not name weekdays: write mon-fri or tue,thu")]
    Weekdays(String),
    /// A season is `MM-DD..MM-DD`.
    #[error("{0:?} is not a season: write 04-16..10-15")]
    Season(String),
    /// A line refers to an act that the file does not list.
    #[error("there is no source {0:?}")]
    Source(String),
    /// A day refers to a holiday that the file does not list.
    #[error("there is no holiday {0:?}")]
    Holiday(String),
    /// The file stands upon a calendar that is not known.
    #[error("there is no calendar {0:?} to extend")]
    Base(String),
    /// Twice the same id, or the same year.
    #[error("{0} stands there twice")]
    Twice(String),
    /// Twice the same day in one file.
    #[error("{date} stands there twice")]
    DayTwice {
        /// The day.
        date: Date,
    },
    /// A day of another year.
    #[error("{date} is not in {year}")]
    OtherYear {
        /// The day.
        date: Date,
        /// The year it stands in.
        year: i16,
    },
    /// A day must say one reason, and only one.
    #[error("{date} needs one of holiday, compensates, swapped-with, closed, special, usual")]
    OneReason {
        /// The day.
        date: Date,
    },
    /// The law gives more or fewer days than are listed.
    #[error("{year}: {holiday} has {expected} days by the law, {found} are listed")]
    Entitlement {
        /// The year.
        year: i16,
        /// The holiday.
        holiday: String,
        /// Days by the law.
        expected: usize,
        /// Days listed.
        found: usize,
    },
    /// The very day of a holiday is missing.
    #[error("{date} is {holiday} and is not listed")]
    Missing {
        /// The day.
        date: Date,
        /// The holiday.
        holiday: String,
    },
    /// A weekday off is worked on a Saturday or Sunday.
    #[error("{date} and {worked} cannot be swapped: a day of Monday to Friday is swapped with a weekend day")]
    Swap {
        /// The day off.
        date: Date,
        /// The day to be worked.
        worked: Date,
    },
    /// Years must follow one upon another.
    #[error("there is no year {0} between those listed")]
    Gap(i16),
    /// Nobody said whether the year is decided.
    #[error("{0} has no state: write published or provisional")]
    NoState(i16),
    /// No year at all.
    #[error("no year is listed")]
    NoYear,
    /// Too many years.
    #[error("more than 200 years")]
    TooManyYears,
}

impl LoadError {
    /// In Vietnamese, without the line.
    pub fn vi(&self) -> String {
        self.fault.vi()
    }

    /// In English, without the line.
    pub fn en(&self) -> String {
        self.fault.to_string()
    }
}

impl Fault {
    fn vi(&self) -> String {
        let day = |date: &Date| format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year());
        match self {
            Self::TooLarge => "tệp lớn hơn 1 MiB".into(),
            Self::Form(why) => format!("không đúng dạng ({why})"),
            Self::Date(given) => format!("“{given}” không phải ngày"),
            Self::Weekdays(given) => {
                format!("“{given}” không phải các thứ trong tuần: viết mon-fri hoặc tue,thu")
            }
            Self::Season(given) => format!("“{given}” không phải mùa: viết 04-16..10-15"),
            Self::Source(given) => format!("không có căn cứ (source) “{given}”"),
            Self::Holiday(given) => format!("không có ngày lễ (holiday) “{given}”"),
            Self::Base(given) => format!("không có lịch “{given}” để dựa vào"),
            Self::Twice(given) => format!("“{given}” xuất hiện hai lần"),
            Self::DayTwice { date } => format!("ngày {} xuất hiện hai lần", day(date)),
            Self::OtherYear { date, year } => format!("ngày {} không thuộc năm {year}", day(date)),
            Self::OneReason { date } => format!(
                "ngày {} cần đúng một trong các mục holiday, compensates, swapped-with, closed, special, usual",
                day(date)
            ),
            Self::Entitlement { year, holiday, expected, found } => {
                format!("năm {year}: theo luật “{holiday}” được nghỉ {expected} ngày, tệp ghi {found} ngày")
            }
            Self::Missing { date, holiday } => {
                format!("ngày {} là “{holiday}” nhưng không có trong tệp", day(date))
            }
            Self::Swap { date, worked } => format!(
                "không hoán đổi được {} với {}: một ngày từ thứ Hai đến thứ Sáu đổi với thứ Bảy hoặc Chủ nhật",
                day(date),
                day(worked)
            ),
            Self::Gap(year) => format!("thiếu năm {year} giữa các năm đã ghi"),
            Self::NoState(year) => format!("năm {year} chưa có state: viết published hoặc provisional"),
            Self::NoYear => "tệp không ghi năm nào".into(),
            Self::TooManyYears => "nhiều hơn 200 năm".into(),
        }
    }
}
