"""The certificates, keys and their copies that xcatconfig makes (capture credentials_ls).

Two separately installed management nodes get different CAs: a client of one is
refused by the other (capture fo1).
"""
import os
import pwd
import shutil
import subprocess

CA = "/etc/xcat/ca"
CERT = "/etc/xcat/cert"
HOSTKEYS = "/etc/xcat/hostkeys"
POSTSCRIPTS = "/install/postscripts"

_MAKEFILE = ("# Signing with this CA: openssl ca -config openssl.cnf -in REQUEST -out CERTIFICATE\n")


def create(host, domain, share):
    """Makes everything anew; what was there is removed first."""
    for path in (CA, CERT, HOSTKEYS):
        shutil.rmtree(path, ignore_errors=True)
    _make_ca(host, domain, share)
    _make_server(host)
    for user, home in (("root", "/root"), ("conserver", _conserver_home())):
        _make_client(user, home)
    _make_host_keys()
    _make_root_key(host)
    _publish()


def exist():
    """Whether this host has credentials already."""
    return os.path.exists(f"{CERT}/server-cred.pem")


def _openssl(*arguments, directory=CA):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def _write(path, text, mode=0o644):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, mode)
        file.write(text)


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _sign(request, out, section, start, days):
    mask = os.umask(0o077)
    _openssl("ca", "-batch", "-config", "openssl.cnf", "-startdate", start, "-days", days,
             "-in", request, "-out", out, *(["-extensions", section] if section else []),
             *(["-selfsign"] if section == "authority" else []))
    os.umask(mask)


def _make_ca(host, domain, share):
    for path, mode in ((CA, 0o755), (f"{CA}/private", 0o700), (f"{CA}/certs", 0o755),
                       (f"{CA}/crl", 0o755)):
        os.makedirs(path)
        os.chmod(path, mode)
    _write(f"{CA}/Makefile", _MAKEFILE)
    _write(f"{CA}/openssl.cnf", _read(f"{share}/openssl.cnf").replace(
        "SUBJECT_NAMES", f"DNS:{host}.{domain},DNS:{host}"))
    _write(f"{CA}/index", "", 0o600)
    _write(f"{CA}/serial", "01\n", 0o600)
    mask = os.umask(0o077)
    _openssl("genrsa", "-out", "private/ca-key.pem", "2048")
    os.umask(mask)
    _openssl("req", "-new", "-config", "openssl.cnf", "-key", "private/ca-key.pem",
             "-subj", "/CN=xCAT CA", "-out", "ca-req.csr")
    _sign("ca-req.csr", "ca-cert.pem", "authority", "19700101010101Z", "7305")
    os.chmod(f"{CA}/ca-cert.pem", 0o644)


def _make_pair(directory, stem, name):
    """<stem>-key.pem and <stem>-req.pem in the directory."""
    mask = os.umask(0o077)
    _openssl("genrsa", "-out", f"{directory}/{stem}-key.pem", "2048")
    _openssl("req", "-new", "-config", "openssl.cnf", "-key", f"{directory}/{stem}-key.pem",
             "-subj", f"/CN={name}", "-out", f"{directory}/{stem}-req.pem")
    os.umask(mask)


def _finish_pair(directory, stem, signed):
    """<stem>-cert.pem, <stem>-cred.pem (certificate and key) and ca.pem."""
    certificate = _read(signed)
    _write(f"{directory}/{stem}-cert.pem", certificate, 0o600)
    _write(f"{directory}/{stem}-cred.pem", certificate + _read(f"{directory}/{stem}-key.pem"),
           0o600)


def _make_server(host):
    os.makedirs(CERT)
    os.chmod(CERT, 0o700)
    _make_pair(CERT, "server", host)
    _sign(f"{CERT}/server-req.pem", f"{host}.cert", "server", "19600101010101Z", "7300")
    _finish_pair(CERT, "server", f"{CA}/{host}.cert")
    _write(f"{CERT}/ca.pem", _read(f"{CA}/ca-cert.pem"), 0o600)


def _conserver_home():
    try:
        pwd.getpwnam("conserver")
    except KeyError:
        subprocess.run(["useradd", "--system", "--create-home", "--home-dir", "/home/conserver",
                        "conserver"], check=True, capture_output=True)
    os.makedirs("/home/conserver", exist_ok=True)
    return "/home/conserver"


def _make_client(user, home):
    directory = f"{home}/.xcat"
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    _make_pair(directory, "client", user)
    _sign(f"{directory}/client-req.pem", "root.cert", "client", "19600101010101Z", "7300")
    _finish_pair(directory, "client", f"{CA}/root.cert")
    _write(f"{directory}/ca.pem", _read(f"{CA}/ca-cert.pem"))
    owner = pwd.getpwnam(user)
    for path in [directory] + [f"{directory}/{name}" for name in os.listdir(directory)]:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _make_host_keys():
    os.makedirs(HOSTKEYS)
    for kind in ("rsa", "ecdsa", "ed25519"):
        path = f"{HOSTKEYS}/ssh_host_{kind}_key"
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", path], check=True)
        os.chmod(path, 0o640)


def _make_root_key(host):
    """/root/.ssh/id_rsa, only if there is none yet, as xcatconfig does."""
    os.makedirs("/root/.ssh", mode=0o700, exist_ok=True)
    if not os.path.exists("/root/.ssh/id_rsa"):
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-C",
                        f"root@{host}", "-f", "/root/.ssh/id_rsa"], check=True)
    config = "/root/.ssh/config"
    text = _read(config) if os.path.exists(config) else ""
    if "StrictHostKeyChecking no" not in text:
        _write(config, text + "StrictHostKeyChecking no\nHashKnownHosts no\n", 0o600)


def _publish():
    """The copies the nodes fetch."""
    for name in ("_ssh", "_xcat", "ca", "hostkeys"):
        os.makedirs(f"{POSTSCRIPTS}/{name}", exist_ok=True)
    shutil.copy("/root/.ssh/id_rsa.pub", f"{POSTSCRIPTS}/_ssh/authorized_keys")
    shutil.copy(f"{CA}/ca-cert.pem", f"{POSTSCRIPTS}/_xcat/ca.pem")
    shutil.copy(f"{CA}/ca-cert.pem", f"{POSTSCRIPTS}/ca/ca-cert.pem")
    for name in os.listdir(HOSTKEYS):
        if name.endswith(".pub"):
            shutil.copy(f"{HOSTKEYS}/{name}", f"{POSTSCRIPTS}/hostkeys/{name}")
