"""Patient pseudonyms: stable under one key, unrelated under another, never the id itself."""

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from monai_gan_aug.data.pseudonyms import KEY_FILE_VARIABLE, PatientKey, default_key_file
from monai_gan_aug.errors import DataError


@pytest.fixture
def key(tmp_path):
    return PatientKey.load_or_create(tmp_path / "deep" / "key")


def test_key_is_made_once(key, tmp_path):
    assert PatientKey.load_or_create(tmp_path / "deep" / "key") == key


def test_all_of_several_makers_get_the_same_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(PatientKey.load_or_create, [tmp_path / "key"] * 16))
    assert len({key.secret for key in keys}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX systems")
def test_only_the_owner_reads_the_key(key, tmp_path):
    assert stat.S_IMODE((tmp_path / "deep" / "key").stat().st_mode) == 0o600


def test_open_key_file_is_warned_about(key, tmp_path, caplog):
    (tmp_path / "deep" / "key").chmod(0o644)
    PatientKey.load_or_create(tmp_path / "deep" / "key")
    assert "chmod 600" in caplog.text


@pytest.mark.parametrize("content", ["", "not hexadecimal", "abcd"])
def test_damaged_key_is_never_replaced(tmp_path, content):
    path = tmp_path / "key"
    path.write_text(content)
    with pytest.raises(DataError, match="no patient key"):
        PatientKey.load_or_create(path)
    assert path.read_text() == content


def test_pseudonyms_follow_patient_and_key(key, tmp_path):
    other = PatientKey.load_or_create(tmp_path / "other")
    names = {k.pseudonym(p) for k in (key, other) for p in ("Roe^Jane", "Doe^John")}
    assert len(names) == 4
    assert key.fingerprint != other.fingerprint


def test_pseudonym_is_no_plain_hash(key):
    plain = [hashlib.new(n, b"Roe^Jane").hexdigest() for n in ("md5", "sha1", "sha256")]
    assert not any(key.pseudonym("Roe^Jane") in digest for digest in plain)


def test_empty_patient_is_refused(key):
    with pytest.raises(ValueError, match="empty patient"):
        key.pseudonym("  ")


def test_ids_that_are_no_text_have_pseudonyms(key):
    assert len(key.pseudonym(b"R\xf6e".decode("utf-8", "surrogateescape"))) == 16


def test_secret_is_not_shown(key):
    assert key.secret.hex() not in repr(key)
    assert str(key.secret) not in repr(key)


def test_environment_names_the_key_file(monkeypatch, tmp_path):
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(tmp_path / "mine"))
    assert default_key_file() == tmp_path / "mine"
    monkeypatch.delenv(KEY_FILE_VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_key_file() == tmp_path / "monai_gan_aug" / "patient.key"
