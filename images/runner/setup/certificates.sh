# Trust what the host trusts: every certificate of its bundle that the base does not know.
# Leaves those in steroids.pem too, which Node reads on top of its own.
set -eu
folder=/usr/local/share/ca-certificates
mkdir -p "$folder"
/usr/bin/python3 -I - /opt/steroids/ca/host.pem "$folder" <<'PY'
import pathlib, re, sys

host, folder = map(pathlib.Path, sys.argv[1:])
pattern = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
known = set(pattern.findall(bundle.read_text())) if bundle.exists() else set()
extra = [c for c in dict.fromkeys(pattern.findall(host.read_text())) if c not in known]
for number, certificate in enumerate(extra):
    # One each: update-ca-certificates passes over files with several.
    (folder / f"steroids-{number:03}.crt").write_text(certificate + "\n")
(folder / "steroids.pem").write_text("\n".join([*extra, ""]))
print(f"{len(extra)} certificates of the host are new to the image")
PY
update-ca-certificates
