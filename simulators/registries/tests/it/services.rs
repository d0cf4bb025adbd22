//! Every endpoint: the right answer, not found, invalid, unchanged.

use serde_json::{Value, json};

use crate::{business_registry, client, population_registry};

#[tokio::test]
async fn a_person_is_found_unchanged_missing_or_invalid() {
    let (running, people) = population_registry().await;
    let person = people.iter().next().unwrap();
    let url = |number: &str| format!("{}/persons/{number}", running.base_url());
    let answer = client().get(url(&person.so_dinh_danh)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let tag = answer.headers()["etag"].clone();
    let found: Value = answer.json().await.unwrap();
    assert_eq!(found["ho_ten"], person.ho_ten.as_str());
    assert_eq!(found["ngay_sinh"], person.ngay_sinh.to_string());
    assert_eq!(found["gia_lap"], true);

    let again = client().get(url(&person.so_dinh_danh)).header("if-none-match", tag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.bytes().await.unwrap().len()), (304, 0));

    for (number, status) in [("999000000000", 404), ("12", 422), ("99900000000a", 422)] {
        let refused = client().get(url(number)).send().await.unwrap();
        assert_eq!(refused.status(), status, "{number}");
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
        assert_eq!(refused.json::<Value>().await.unwrap()["status"], status);
    }
    running.shutdown().await;
}

#[tokio::test]
async fn verification_compares_and_refuses_what_it_cannot_read() {
    let (running, people) = population_registry().await;
    let person = people.iter().next().unwrap();
    let url = format!("{}/persons/verify", running.base_url());
    let right =
        json!({"so_dinh_danh": person.so_dinh_danh, "ho_ten": person.ho_ten, "ngay_sinh": person.ngay_sinh});
    let ask = async |body: Value| client().post(&url).json(&body).send().await.unwrap();
    assert_eq!(ask(right.clone()).await.json::<Value>().await.unwrap()["khop"], true);

    let mut wrong = right.clone();
    wrong["ho_ten"] = json!("Người Khác");
    let answer: Value = ask(wrong).await.json().await.unwrap();
    assert_eq!((&answer["khop"], &answer["truong_khong_khop"]), (&json!(false), &json!(["ho_ten"])));

    for (field, value) in [
        ("so_dinh_danh", json!("1")),
        ("ho_ten", json!(" ")),
        ("ho_ten", json!("x".repeat(121))),
        ("ngay_sinh", json!("31/02/2000")),
        ("ngay_sinh", json!(20000101)),
        ("thua", json!("unknown field")),
    ] {
        let mut bad = right.clone();
        bad[field] = value;
        assert_eq!(ask(bad).await.status(), 422, "{field}");
    }
    let huge = client().post(&url).body(vec![b' '; 64 * 1024]).send().await.unwrap();
    assert_eq!(huge.status(), 413);
    running.shutdown().await;
}

#[tokio::test]
async fn enterprises_are_found_searched_and_extracted() {
    let (running, register) = business_registry().await;
    let enterprise = register.iter().max_by_key(|e| e.lan_thay_doi).unwrap();
    let get =
        async |path: String| client().get(format!("{}{path}", running.base_url())).send().await.unwrap();

    let found: Value = get(format!("/enterprises/{}", enterprise.ma_so)).await.json().await.unwrap();
    assert_eq!(found["von_dieu_le"], enterprise.von_dieu_le);
    let page: Value = get("/enterprises?name=cong%20ty".to_owned()).await.json().await.unwrap();
    assert_eq!(page["doanh_nghiep"].as_array().unwrap().len(), 20);
    let next = page["tiep_theo"].as_str().unwrap();
    let second: Value = get(format!("/enterprises?name=cong%20ty&sau={next}")).await.json().await.unwrap();
    assert!(second["doanh_nghiep"][0]["ma_so"].as_str().unwrap() > next);

    let extract = get(format!("/enterprises/{}/extract", enterprise.ma_so)).await;
    assert_eq!(extract.headers()["transfer-encoding"], "chunked");
    let text = extract.text().await.unwrap();
    assert!(text.len() > 100_000 && text.ends_with("</trich-luc>\n"), "{}", text.len());

    for (path, status) in [
        ("/enterprises?name=a", 422),
        ("/enterprises", 422),
        ("/enterprises?name=abc&sau=x", 422),
        ("/enterprises/9900000000", 404),
        ("/enterprises/99/extract", 422),
        ("/nothing", 404),
    ] {
        assert_eq!(get(path.to_owned()).await.status(), status, "{path}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn each_service_describes_every_path_it_answers() {
    let (people, _) = population_registry().await;
    let (firms, _) = business_registry().await;
    for (running, paths) in [
        (people, vec!["/persons/{so_dinh_danh}", "/persons/verify"]),
        (firms, vec!["/enterprises", "/enterprises/{ma_so}", "/enterprises/{ma_so}/extract"]),
    ] {
        let url = format!("{}/openapi.json", running.base_url());
        let document: Value = client().get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let described: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
        assert_eq!(described.len(), paths.len());
        assert!(paths.iter().all(|p| described.iter().any(|d| d == p)), "{described:?}");
        running.shutdown().await;
    }
}
