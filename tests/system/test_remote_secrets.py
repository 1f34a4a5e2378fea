"""What is secret is in the memory of the processes that speak to the remote, and nowhere else."""
import base64
import os

import pytest

import processes
import remotes
import servers

SEED = bytes((7 * i * i + 13) % 251 for i in range(32))
KEY = "ed25519:" + base64.b64encode(SEED).decode()
PASSWORD = "x9-marked-Secret-4711"
SSH = "ssh://git@127.0.0.1:1/zones.git"
HTTPS = "https://127.0.0.1:1/zones.git"
HOST_KEY = "--authenticator=SHA256:" + "A" * 43
TRACES = [SEED, KEY.encode()[8:], PASSWORD.encode(), base64.b64encode(b"somebody:" + PASSWORD.encode())[8:-4]]


def as_argument(where):
    return SSH, ["--ssh-key=" + KEY, HOST_KEY], {}


def as_two_arguments(where):
    """The last one counts; the first is a secret, too."""
    return SSH, ["--ssh-key=" + KEY, "--ssh-key", remotes.KEY, HOST_KEY], {}


def as_file(where):
    return SSH, ["--ssh-key-file=" + servers.write(str(where / "key"), KEY + "\n"), HOST_KEY], {}


def as_inherited_file(where):
    """As a shell's <(command) gives it."""
    fd = os.open(servers.write(str(where / "key"), KEY + "\n"), os.O_RDONLY)
    os.set_inheritable(fd, True)
    os.unlink(where / "key")
    return SSH, ["--ssh-key-file=/dev/fd/%d" % fd, HOST_KEY], {}


def as_variable(where):
    return SSH, [HOST_KEY], {"ORIGIN_SSH_KEY": KEY}


def as_credential(where):
    servers.write(str(where / "ssh-key"), KEY + "\n")
    return SSH, [HOST_KEY], {"CREDENTIALS_DIRECTORY": str(where)}


def as_password_in_url(where):
    return HTTPS.replace("//", "//somebody:%s@" % PASSWORD), [], {}


def as_token_in_url(where):
    return HTTPS.replace("https://", "HTTPS://%s@" % PASSWORD), [], {}


def as_token_in_query(where):
    return HTTPS + "?private_token=" + PASSWORD, [], {}


def as_password_variable(where):
    return HTTPS, [], {"ORIGIN_CREDENTIAL": "somebody:" + PASSWORD}


def as_password_file(where):
    return HTTPS, ["--credential-file=" + servers.write(str(where / "all"), "https://somebody:%s@127.0.0.1:1\n" % PASSWORD)], {}


def as_remote_variable(where):
    return None, [], {"ORIGIN_REMOTE": HTTPS.replace("//", "//somebody:%s@" % PASSWORD)}


def as_foreign_variable(where):
    """One that another program of ours would read."""
    return SSH, ["--ssh-key=" + remotes.KEY, HOST_KEY], {"ORIGIN_KEY": "me._update:SHA256:" + PASSWORD}


def shown_by(pid):
    """Of what everybody of the same user can read, and of files that are open."""
    for path in ("environ", "cmdline"):
        with open("/proc/%d/%s" % (pid, path), "rb") as f:
            yield path, f.read()
    for fd in os.listdir("/proc/%d/fd" % pid):
        path = "/proc/%d/fd/%s" % (pid, fd)
        if os.path.isfile(path) and int(fd) not in (1, 2):
            with open(path, "rb") as f:
                yield path, f.read()


def is_sanitized(pid):
    """Then its runtime has read /proc/self/environ for itself."""
    with open("/proc/%d/maps" % pid) as f:
        return "asan" in f.read()


@pytest.mark.parametrize("way", [as_argument, as_two_arguments, as_file, as_inherited_file, as_variable, as_credential,
                                 as_password_in_url, as_token_in_url, as_token_in_query, as_password_variable,
                                 as_password_file, as_remote_variable, as_foreign_variable], ids=lambda way: way.__name__)
def test_who_has_it(primary, tmp_path, way):
    remote, options, env = way(tmp_path)
    served = primary(remote, *options, env=env, close_fds=False)
    served.await_log("event=pull-failed")
    pids = processes.all_of(served)
    assert [processes.name(p) for p in pids[:3]] == ["oprimary", "oprimary-keeper", "oprimary-git"]
    for pid in pids:
        for where, octets in shown_by(pid):
            assert not [t for t in TRACES if t in octets], "%s of %s" % (where, processes.name(pid))
    if not (env and is_sanitized(served.pid)):
        assert not processes.memory_has(served.pid, TRACES)
    if way not in (as_two_arguments, as_foreign_variable):
        assert processes.memory_has(pids[1], TRACES), "the test looks where there is something to find"
    assert PASSWORD not in served.log() and KEY not in served.log()
    served.stop()
