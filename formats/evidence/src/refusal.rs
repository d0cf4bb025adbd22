//! Why a bundle is refused, for programs and for people.

use crate::json::JsonError;
use crate::leaf::LeafError;
use crate::report::Lang;

/// Why a bundle proves nothing. `Display` is the English text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Longer than a bundle can be.
    TooLong,
    /// Not canonical JSON: cut off, edited, or re-formatted.
    Json(JsonError),
    /// Canonical JSON, but not a bundle of a known version.
    Format,
    /// A member is missing or has the wrong form.
    Member(&'static str),
    /// A member that the format does not know.
    Unknown,
    /// Disclosures are out of order or doubled.
    Order,
    /// The key of the log is malformed.
    Key,
    /// The log is not the one the reader trusts.
    Untrusted,
    /// The checkpoint is not signed by the key of the log, or does not belong to it.
    Checkpoint,
    /// The number or order of the records is none a bundle can have.
    Entries,
    /// A record is malformed.
    Leaf(LeafError),
    /// A record is not in the log of the checkpoint.
    Proof,
    /// The records do not belong to the same call, or contradict each other.
    Mismatch,
    /// A disclosed value is not the one the record commits to.
    Disclosure,
}

impl Refusal {
    /// A short stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::TooLong => "too_long",
            Refusal::Json(_) => "not_canonical",
            Refusal::Format => "format",
            Refusal::Member(_) => "member",
            Refusal::Unknown => "unknown_member",
            Refusal::Order => "order",
            Refusal::Key => "key",
            Refusal::Untrusted => "untrusted",
            Refusal::Checkpoint => "checkpoint",
            Refusal::Entries => "entries",
            Refusal::Leaf(_) => "record",
            Refusal::Proof => "proof",
            Refusal::Mismatch => "mismatch",
            Refusal::Disclosure => "disclosure",
        }
    }

    /// One plain sentence.
    pub fn text(&self, lang: Lang) -> String {
        match lang {
            Lang::Vi => self.vietnamese(),
            Lang::En => self.english(),
        }
    }

    fn vietnamese(&self) -> String {
        match self {
            Refusal::TooLong => "Tệp quá lớn, không thể là gói bằng chứng.".into(),
            Refusal::Json(e) => format!(
                "Tệp không còn nguyên dạng (gần byte thứ {}): bị cắt ngắn, bị sửa hoặc đã được định dạng lại.",
                e.at
            ),
            Refusal::Format => "Tệp không phải là gói bằng chứng của phiên bản được hỗ trợ.".into(),
            Refusal::Member(name) => format!("Mục “{name}” trong gói bị thiếu hoặc sai dạng."),
            Refusal::Unknown => "Gói có mục không thuộc định dạng gói bằng chứng.".into(),
            Refusal::Order => "Các giá trị công bố trong gói bị lặp hoặc sai thứ tự.".into(),
            Refusal::Key => "Khóa công khai của nhật ký trong gói sai dạng.".into(),
            Refusal::Untrusted => "Gói không thuộc nhật ký có khóa mà người kiểm tra tin cậy.".into(),
            Refusal::Checkpoint => {
                "Điểm chốt không phải do khóa của nhật ký ký, hoặc thuộc về nhật ký khác.".into()
            }
            Refusal::Entries => "Số lượng hoặc thứ tự bản ghi trong gói không hợp lệ.".into(),
            Refusal::Leaf(_) => "Một bản ghi trong gói sai dạng.".into(),
            Refusal::Proof => {
                "Một bản ghi không nằm trong nhật ký theo điểm chốt: nội dung, vị trí hoặc đường dẫn chứng minh \
                 đã bị thay đổi."
                    .into()
            }
            Refusal::Mismatch => {
                "Các bản ghi trong gói không thuộc cùng một cuộc gọi hoặc mâu thuẫn nhau.".into()
            }
            Refusal::Disclosure => {
                "Một giá trị công bố trong gói không phải là giá trị đã được cam kết trong bản ghi.".into()
            }
        }
    }

    fn english(&self) -> String {
        match self {
            Refusal::TooLong => "The file is too large to be an evidence bundle.".into(),
            Refusal::Json(e) => format!(
                "The file is no longer in its original form (near byte {}: {}): cut off, edited or re-formatted.",
                e.at, e.why
            ),
            Refusal::Format => "The file is not an evidence bundle of a supported version.".into(),
            Refusal::Member(name) => format!("The member “{name}” of the bundle is missing or malformed."),
            Refusal::Unknown => "The bundle has a member that does not belong to the format.".into(),
            Refusal::Order => "The disclosed values in the bundle are repeated or out of order.".into(),
            Refusal::Key => "The public key of the log in the bundle is malformed.".into(),
            Refusal::Untrusted => "The bundle does not belong to the log whose key the reader trusts.".into(),
            Refusal::Checkpoint => {
                "The checkpoint is not signed by the key of the log, or belongs to another log.".into()
            }
            Refusal::Entries => "The number or order of the records in the bundle is not valid.".into(),
            Refusal::Leaf(e) => format!("A record in the bundle is malformed: {e}."),
            Refusal::Proof => {
                "A record is not in the log of the checkpoint: its content, position or proof was altered."
                    .into()
            }
            Refusal::Mismatch => {
                "The records in the bundle do not belong to the same call, or contradict each other.".into()
            }
            Refusal::Disclosure => {
                "A disclosed value in the bundle is not the one its record commits to.".into()
            }
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for Refusal {}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Refusal {
        Refusal::Json(error)
    }
}

impl From<LeafError> for Refusal {
    /// For the bundle's own members; records are wrapped in [`Refusal::Leaf`] where they are read.
    fn from(error: LeafError) -> Refusal {
        match error {
            LeafError::TooLong => Refusal::TooLong,
            LeafError::Json(error) => Refusal::Json(error),
            LeafError::Member(name) => Refusal::Member(name),
            LeafError::Unknown => Refusal::Unknown,
        }
    }
}
