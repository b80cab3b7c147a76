"""A file is uploaded in a real browser, and the page follows how it is read."""

from playwright.sync_api import expect

from portal.extensions import db
from portal.pools import uploads
from portal.pools.reading import Shape
from tests.pools import file_of


def test_the_page_follows_the_reading_until_it_is_over(at_desk, ada, pool):
    upload = uploads.begin(pool, "keys.txt", by=ada)
    upload_id, address = upload.id, f"/pools/{pool.id}/uploads/{upload.id}"
    db.session.commit()
    page = at_desk(ada)
    page.goto(address)
    expect(page.get_by_text("The file is being read: 0 new licenses so far.")).to_be_visible()
    with file_of("A-1\nA-2\nA-2\n") as file:
        uploads.read(upload_id, file, Shape())
    expect(page.get_by_role("button", name="Put 2 licenses into the pool")).to_be_visible()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Put 2 licenses into the pool").click()
    page.wait_for_url(f"**/pools/{pool.id}")
    expect(page.get_by_text("The licenses are in the pool.")).to_be_visible()
    assert not [url for url in asked if url.endswith("/progress")]


def test_a_file_is_chosen_and_explained(at_desk, ada, pool, tmp_path):
    keys = tmp_path / "keys.csv"
    keys.write_text("product;key\nx;A-1\ny;\n")
    page_address = f"/pools/{pool.id}"
    db.session.commit()
    page = at_desk(ada)
    page.goto(page_address)
    page.get_by_label("File", exact=True).set_input_files(keys)
    page.get_by_label("How the file is made").select_option("A column of a CSV file")
    page.get_by_text("Separator, column and encoding").click()
    page.get_by_label("Column of the CSV file, its name or number").fill("key")
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_text("New: go into the pool")).to_be_visible()
    expect(page.get_by_text("Blank: left out")).to_be_visible()
    expect(page.get_by_text("line 3")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Nothing of it is in the pool.")).to_be_visible()
