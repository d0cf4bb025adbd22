//! The extract of an enterprise's registration: a larger XML document, written piece by piece so that an answer
//! of unknown length crosses the platform too.

use crate::dice::Dice;
use crate::enterprise::Enterprise;

const CHANGES: &[&str] = &[
    "Thay đổi địa chỉ trụ sở chính",
    "Bổ sung ngành, nghề kinh doanh",
    "Thay đổi vốn điều lệ",
    "Thay đổi người đại diện theo pháp luật",
    "Thay đổi thông tin đăng ký thuế",
    "Cập nhật số điện thoại, thư điện tử",
    "Thay đổi thành viên góp vốn",
];

/// The extract in pieces of some kilobytes: a head, one piece for every registered change, an end.
/// The same enterprise always gives the same bytes.
pub fn pieces(e: &Enterprise) -> impl Iterator<Item = String> + Send + use<> {
    let dice = Dice::new(e.ma_so.bytes().fold(0, |n, b| n * 31 + u64::from(b)));
    let body: Vec<String> = (1..=e.lan_thay_doi).map(|n| change(&dice, n)).collect();
    std::iter::once(head(e)).chain(body).chain(std::iter::once("</trich-luc>\n".to_owned()))
}

fn head(e: &Enterprise) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- Dữ liệu minh họa: doanh nghiệp này không có thật -->\n\
         <trich-luc gia-lap=\"true\">\n  <ma-so>{}</ma-so>\n  <ten>{}</ten>\n  <loai-hinh>{}</loai-hinh>\n  \
         <ngay-dang-ky>{}</ngay-dang-ky>\n  <tinh-trang>{}</tinh-trang>\n  <von-dieu-le don-vi=\"VND\">{}</von-dieu-le>\n  \
         <tru-so ma=\"{}\">{}, {}</tru-so>\n  <nguoi-dai-dien chuc-danh=\"{}\">{}</nguoi-dai-dien>\n",
        e.ma_so,
        escape(&e.ten),
        e.loai_hinh,
        e.ngay_dang_ky,
        e.tinh_trang,
        e.von_dieu_le,
        escape(&e.tru_so.don_vi_hanh_chinh.code),
        escape(&e.tru_so.dia_chi),
        escape(&e.tru_so.don_vi_hanh_chinh.name),
        e.nguoi_dai_dien.chuc_danh,
        escape(&e.nguoi_dai_dien.ho_ten),
    );
    for line in &e.nganh_nghe {
        out.push_str(&format!("  <nganh ma=\"{}\">{}</nganh>\n", line.ma, line.ten));
    }
    out
}

/// A change with the full text of its notice, about 8 KiB, as the paper files have it.
fn change(dice: &Dice, n: u32) -> String {
    let what = dice.pick(CHANGES);
    let mut out = format!("  <thay-doi lan=\"{n}\" noi-dung=\"{what}\">\n");
    for clause in 1..=40 {
        out.push_str(&format!(
            "    <dieu so=\"{clause}\">{what}; căn cứ biên bản họp số {}/BB ngày {:02}/{:02}, các thành viên thống nhất \
             nội dung đăng ký thay đổi và chịu trách nhiệm trước pháp luật.</dieu>\n",
            1 + dice.below(99),
            1 + dice.below(28),
            1 + dice.below(12),
        ));
    }
    out.push_str("  </thay-doi>\n");
    out
}

fn escape(s: &str) -> String {
    s.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enterprise::Register;

    #[test]
    fn an_extract_repeats_and_grows_with_the_changes() {
        let register = Register::invent(3, 200, &[]);
        let size = |e: &Enterprise| pieces(e).map(|p| p.len()).sum::<usize>();
        let most = register.iter().max_by_key(|e| e.lan_thay_doi).unwrap();
        let least = register.iter().min_by_key(|e| e.lan_thay_doi).unwrap();
        assert!(size(most) > 150_000, "{}", size(most));
        assert!(size(least) < size(most));
        assert_eq!(pieces(most).collect::<String>(), pieces(most).collect::<String>());
    }

    #[test]
    fn names_cannot_break_the_document() {
        let register = Register::invent(3, 1, &[crate::Commune::new("1", "Xã \"A\" <&>")]);
        let text: String = pieces(register.iter().next().unwrap()).collect();
        assert!(text.contains("Xã &quot;A&quot; &lt;&amp;&gt;"));
    }
}
