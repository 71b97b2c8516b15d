"""Rows about what is in the commits: contents, names and kinds of files."""

from tests.support.table import Row

FILES = (
    Row(
        "binary",
        """mkdir -p $here; printf '\\000\\377\\001' > $here/a; commit Binary""",
        landed=["Binary"],
        files={"a": "\0\xff\1"},
    ),
    Row(
        "carriage returns",
        "mkdir -p $here; printf 'a\\r\\nb\\r\\n' > $here/a; commit CRLF",
        landed=["CRLF"],
        files={"a": "a\r\nb\r\n"},
    ),
    Row(
        "renamed",
        "put old 'one line'; commit Old; git mv $here/old $here/new; commit New",
        landed=["Old", "New"],
        files={"old": None, "new": "one line\n"},
    ),
    Row(
        "another case",
        "put readme; commit Lower; git mv $here/readme $here/README; commit Upper",
        landed=["Lower", "Upper"],
        files={"readme": None, "README": "x\n"},
    ),
    Row(
        "two cases at once",
        "put readme lower; put README upper",
        landed=["two cases at once"],
        files={"readme": "lower\n", "README": "upper\n"},
    ),
    Row(
        "a mode",
        "put a; put b; chmod +x $here/a",
        landed=["a mode"],
        modes={"a": "100755", "b": "100644"},
    ),
    Row(
        "links",
        "mkdir -p $here; ln -s ../../../README $here/a; ln -s nowhere $here/b",
        landed=["links"],
        files={"a": "../../../README", "b": "nowhere"},
        modes={"a": "120000", "b": "120000"},
    ),
    Row(
        "a folder in place of a file",
        "put a; commit File; rm $here/a; put a/b; commit Folder",
        landed=["File", "Folder"],
        files={"a/b": "x\n"},
    ),
    Row(
        "deep folders",
        "put $(seq -s / 60)/a",
        landed=["deep folders"],
        files={f"{'/'.join(str(n) for n in range(1, 61))}/a": "x\n"},
    ),
    Row(
        "strange names",
        """put ' a  b '; put 'Grüße 日本'; put '"quoted"'; put -- ; put '*'
put 'a
b'""",
        landed=["strange names"],
        files={" a  b ": "x\n", "Grüße 日本": "x\n", '"quoted"': "x\n", "--": "x\n", "a\nb": "x\n"},
    ),
    Row(
        "a name that is no UTF-8",
        "put $(printf 'a\\377')",
        landed=["a name that is no UTF-8"],
    ),
    Row("an empty file", "mkdir -p $here; : > $here/a", landed=["an empty file"], files={"a": ""}),
    Row(
        "ignored files",
        "put .gitignore secret; put secret; put a",
        landed=["ignored files"],
        files={"secret": None, "a": "x\n"},
    ),
    Row(
        "a repository within",
        "put in/a; cd $here/in; once || { rm -rf .git; exit 0; }\n"
        "git init -q; git add .; git commit -q -m Within",
        way="pipirac",
        attempts="rejected approved",
        landed=["a repository within"],
        commits=["2 approved a repository within"],
        files={"in/a": "x\n"},
        says="is a git repository of its own",
    ),
    Row(
        "outside",
        "put a; echo x > apps/a/README.md; echo x > root.txt",
        landed=["outside"],
        files={"a": "x\n"},
        outside=["apps/a/README.md", "root.txt"],
    ),
)

HOST_STATE = Row(
    "the state of a host",
    "once && { echo x > .steroids/steroids.db; git add -f .steroids/steroids.db; commit Host; }\n"
    "put a; commit Good",
    way="pipirac",
    attempts="rejected approved",
    landed=["Good"],
    commits=["2 approved Good"],
    files={"a": "x\n"},
    says="steroids.db",
)
