//! Names put together from common Vietnamese name parts. Any likeness to a living person is chance:
//! the parts are the commonest there are, and nothing else of the person is real.

use crate::dice::Dice;

const FAMILY: &[(&str, u32)] = &[
    ("Nguyễn", 314),
    ("Trần", 109),
    ("Lê", 88),
    ("Phạm", 59),
    ("Hoàng", 51),
    ("Phan", 28),
    ("Vũ", 25),
    ("Bùi", 23),
    ("Đặng", 20),
    ("Võ", 19),
    ("Đỗ", 19),
    ("Ngô", 17),
    ("Hồ", 16),
    ("Dương", 14),
    ("Đinh", 12),
    ("Lương", 10),
    ("Trịnh", 10),
    ("Mai", 9),
    ("Đào", 8),
    ("Hà", 8),
    ("Lò", 7),
    ("Cao", 6),
    ("Quách", 4),
    ("Tạ", 4),
    ("Thái", 3),
];

const MIDDLE_MALE: &[(&str, u32)] = &[
    ("Văn", 40),
    ("Đức", 10),
    ("Hữu", 9),
    ("Minh", 8),
    ("Quang", 7),
    ("Xuân", 6),
    ("Đình", 6),
    ("Công", 5),
    ("Ngọc", 5),
    ("Thanh", 4),
    ("Quốc", 4),
    ("Bá", 3),
    ("Viết", 3),
    ("Anh", 2),
];

const MIDDLE_FEMALE: &[(&str, u32)] = &[
    ("Thị", 52),
    ("Ngọc", 8),
    ("Thu", 7),
    ("Thị Thu", 5),
    ("Thanh", 5),
    ("Phương", 5),
    ("Thùy", 4),
    ("Kim", 4),
    ("Thị Ngọc", 4),
    ("Minh", 3),
    ("Hồng", 3),
    ("Thị Thanh", 3),
    ("Khánh", 2),
];

const GIVEN_MALE: &[&str] = &[
    "Hùng", "Dũng", "Tuấn", "Sơn", "Hải", "Long", "Thắng", "Cường", "Nam", "Minh", "Đức", "Hiếu", "Trung",
    "Kiên", "Quân", "Bình", "Hòa", "Toàn", "Thành", "Việt", "Phúc", "Khánh", "Huy", "Tùng", "Lâm", "Đạt",
    "Phong", "Khoa", "Nghĩa", "Thuận",
];

const GIVEN_FEMALE: &[&str] = &[
    "Hương",
    "Lan",
    "Hoa",
    "Mai",
    "Hằng",
    "Thủy",
    "Nga",
    "Linh",
    "Trang",
    "Hà",
    "Thảo",
    "Yến",
    "Ngân",
    "Hiền",
    "Oanh",
    "Loan",
    "Nhung",
    "Tuyết",
    "Xuân",
    "Dung",
    "Phượng",
    "Quỳnh",
    "Chi",
    "Giang",
    "Anh",
    "Vân",
    "Thúy",
    "My",
    "Tâm",
    "Thơm",
];

/// A full name, family name first, NFC.
pub fn person(dice: &Dice, female: bool) -> String {
    let (middles, givens) = if female { (MIDDLE_FEMALE, GIVEN_FEMALE) } else { (MIDDLE_MALE, GIVEN_MALE) };
    let family = dice.weighted(FAMILY);
    let middle = dice.weighted(middles);
    let mut given = dice.pick(givens);
    while middle.ends_with(given) {
        given = dice.pick(givens);
    }
    format!("{family} {middle} {given}")
}

const ENTERPRISE_WORDS: &[&str] = &[
    "An Phát",
    "Hưng Thịnh",
    "Minh Long",
    "Đại Thành",
    "Phú Cường",
    "Tân Tiến",
    "Hoàng Gia",
    "Bình Minh",
    "Thiên Phú",
    "Đông Sơn",
    "Hải Đăng",
    "Lam Giang",
    "Sông Mã",
    "Trường Sơn",
    "Việt Tín",
    "Thanh Bình",
    "Nam Hải",
    "Kim Ngân",
    "Ngọc Lâm",
    "Tiến Đạt",
    "Hồng Hà",
    "Phương Đông",
    "Quang Minh",
    "Gia Phú",
    "Thành Công",
    "Hòa Phát Đạt",
    "Bảo Tín",
    "Xuân Mai",
    "Đức Thắng",
    "Long Việt",
];

const ENTERPRISE_FIELDS: &[&str] = &[
    "Thương mại và Dịch vụ",
    "Xây dựng",
    "Vận tải",
    "Sản xuất và Thương mại",
    "Nông sản",
    "Du lịch",
    "Cơ khí",
    "May mặc",
    "Vật liệu xây dựng",
    "Thủy sản",
    "Tư vấn thiết kế",
    "Chế biến gỗ",
];

/// The legal form of an enterprise, its share of the register, and how its name begins.
pub(crate) const FORMS: &[(&str, u32)] = &[
    ("Công ty trách nhiệm hữu hạn một thành viên", 46),
    ("Công ty trách nhiệm hữu hạn hai thành viên trở lên", 26),
    ("Công ty cổ phần", 22),
    ("Doanh nghiệp tư nhân", 6),
];

/// An enterprise's name for its legal form: form, field, own name.
pub fn enterprise(dice: &Dice, form: &str) -> String {
    let start = match form {
        "Công ty cổ phần" => "Công ty cổ phần",
        "Doanh nghiệp tư nhân" => "Doanh nghiệp tư nhân",
        "Công ty trách nhiệm hữu hạn một thành viên" => "Công ty TNHH MTV",
        _ => "Công ty TNHH",
    };
    format!("{start} {} {}", dice.pick(ENTERPRISE_FIELDS), dice.pick(ENTERPRISE_WORDS))
}
