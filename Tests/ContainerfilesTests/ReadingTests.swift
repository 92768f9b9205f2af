import Containerfiles
import Testing

@Suite("Reading of Containerfiles")
struct ReadingTests {
    private static func problem(_ text: String, _ dialect: Containerfile.Dialect = .hereDocuments) -> String? {
        do throws(ContainerfileProblem) {
            _ = try Containerfile(text, dialect: dialect)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("instructions have their lines, and comments and empty lines may stand in continuations")
    func lines() throws {
        let file = try Containerfile(
            """
            # a comment
            FROM fedora:42 AS Build

            RUN dnf -y install \\
                # the compiler
                gcc \\

                make
            run true
            """)
        let stage = try #require(file.stages.first)
        #expect(stage.name == "build")
        #expect(stage.from.lines == 2...2)
        #expect(stage.instructions.map(\.lines) == [4...8, 9...9])
        #expect(stage.instructions.map(\.arguments) == ["dnf -y install     gcc     make", "true"])
    }

    @Test("escape=` continues lines with a backtick, and a doubled escape does not")
    func escape() throws {
        let file = try Containerfile("# escape=`\nFROM a\nRUN dir C:\\\nRUN one `\n two\nRUN three ``\n")
        #expect(file.stages[0].instructions.map(\.arguments) == ["dir C:\\", "one  two", "three ``"])
    }

    @Test("directives end at the first other line")
    func directives() throws {
        #expect(try Containerfile("# syntax=docker/dockerfile:1\nFROM a").syntaxLine == 1)
        #expect(try Containerfile("# check=skip=all\n#SYNTAX = x\nFROM a").syntaxLine == 2)
        #expect(try Containerfile("\n# syntax=docker/dockerfile:1\nFROM a").syntaxLine == nil)
        #expect(try Containerfile("# hello\n# escape=`\nFROM a").escape == "\\")
        #expect(Self.problem("# escape=x\nFROM a") == "line 1: # escape= must be \\ or `, not x")
        #expect(Self.problem("# escape=`\n# escape=`\nFROM a") == "line 2: # escape= is there twice")
    }

    @Test("a byte order mark and CRLF line ends are accepted")
    func foreignLineEnds() throws {
        let file = try Containerfile("\u{FEFF}FROM a\r\nRUN x \\\r\n  y\r\n")
        #expect(file.stages[0].instructions.map(\.arguments) == ["x   y"])
    }

    @Test("the JSON form is a list of texts, anything else is the shell form")
    func jsonForm() throws {
        let file = try Containerfile("FROM a\nRUN [\"/bin/sh\", \"-c\", \"\\u0041\\n\"]\nRUN [ -f /x ]\nRUN [\"a\" ]x")
        #expect(file.stages[0].instructions.map(\.elements) == [["/bin/sh", "-c", "A\n"], nil, nil])
    }

    @Test("here-documents belong to their instruction, whatever their lines look like")
    func hereDocuments() throws {
        let file = try Containerfile(
            "FROM a\nRUN <<EOF cat <<-\"B C\"\nRUN --network=host x\n# no comment\nEOF\n\tb\n\tB C\nCOPY <<F /f\nF\nRUN cat <<< x\nRUN [\"<<E\"]\n"
        )
        let instructions = file.stages[0].instructions
        #expect(instructions.map(\.lines) == [2...7, 8...9, 10...10, 11...11])
        #expect(instructions[0].hereDocuments.map(\.delimiter) == ["EOF", "B C"])
        #expect(instructions[0].hereDocuments.map(\.lines) == [["RUN --network=host x", "# no comment"], ["b"]])
        #expect(Self.problem("FROM a\nRUN <<EOF\nEOF x") == "line 2: the here-document <<EOF has no end")
    }

    @Test("an old builder reads the lines of a here-document as instructions, and so does the classic dialect")
    func classic() throws {
        let file = try Containerfile("FROM a\nRUN cat <<EOF\nRUN --network=host x\n", dialect: .classic)
        #expect(file.stages[0].instructions.count == 2)
        #expect(
            ContainerfileRules().problems(in: file).first?.description
                == "line 2: a here-document is not allowed: builders before buildah 1.33 read its lines as instructions")
        #expect(
            Self.problem("FROM a\nRUN <<EOF\nset -e\nEOF", .classic)
                == "line 3: there is no instruction \"set\"; the here-document of line 2 is not read, because builders "
                + "before buildah 1.33 do not know it")
    }

    @Test(
        "a mistake is named with its line",
        arguments: [
            ("", "line 1: the file has no FROM"),
            ("RUN x", "line 1: RUN stands before the first FROM, where only ARG may stand"),
            ("FROM a\nRUNN x", "line 2: there is no instruction \"RUNN\"; did you mean RUN?"),
            ("FROM a\n\u{A0}RUN x", "line 2: there is no instruction \"\u{A0}RUN\"; did you mean RUN?"),
            ("FROM a b", "line 1: FROM needs an image, or an image, AS and a name: FROM fedora:42 AS build"),
            ("FROM a AS 1", "line 1: \"1\" cannot be the name of a stage. It needs a letter, then letters, digits, _ - or ."),
            ("FROM a\nRUN", "line 2: RUN needs an argument"),
            ("FROM a\nRUN --device=x y", "line 2: RUN has no flag \"--device\", only --mount, --network, --security"),
            ("FROM a\nRUN --mount=type=\"ssh\" y", "line 2: the flag \"--mount=type=\"ssh\"\" must not have quotes or \\"),
            ("FROM a\nRUN --secu\\rity=insecure y", "line 2: the flag \"--secu\\rity=insecure\" must not have quotes or \\"),
            ("FROM a\nRUN x\u{7}", "line 2: the line has a control character"),
        ])
    func mistakes(text: String, message: String) {
        #expect(Self.problem(text) == message)
    }

    @Test("a file without end is refused")
    func bounds() {
        #expect(Self.problem(String(repeating: "#", count: 1 << 20) + "\n") == "line 1: the file is larger than 1048576 bytes")
        #expect(
            Self.problem("FROM a\n" + String(repeating: "RUN x\n", count: 10000)) == "line 10001: there are more than 10000 instructions")
    }

    @Test(
        "variables are replaced as a shell does",
        arguments: [
            ("$A-${A}", "1-1"), ("${N:-2}", "2"), ("${E:-2}", "2"), ("${E-2}", ""), ("${A:+3}", "3"), ("${N:+3}", ""), ("${E+3}", "3"),
            ("${N:-${A}x}", "1x"), ("\\$A", "$A"), ("'$A'", "$A"), ("\"$A b\"", "1 b"), ("$", "$"), ("$N", ""),
        ])
    func variables(word: String, text: String) throws {
        #expect(try Variables(["A": "1", "E": ""]).expand(word).text == text)
    }

    @Test("a variable without a value is reported, unless a default stands for it")
    func unknownVariables() throws {
        #expect(try Variables().expand("$A${B:-c}${C:+$D}").unknown == ["A"])
        #expect(throws: Variables.Failure(reason: "has a ${ without }")) { try Variables().expand("${A:-x") }
        #expect(throws: Variables.Failure(reason: "has a change of A that is not supported, only ${A:-…} and ${A:+…} are")) {
            try Variables().expand("${A#x}")
        }
    }

    @Test("values that name each other do not grow without end")
    func growth() throws {
        let doubling = (1...40).map { "ARG A\($0)=${A\($0 - 1)}${A\($0 - 1)}\n" }.joined()
        let file = try Containerfile("ARG A0=xxxxxxxx\n\(doubling)FROM ${A40}")
        #expect(throws: ContainerfileProblem.self) { try file.imagesNamed() }
        let nested = String(repeating: "${A:-", count: 5000) + String(repeating: "}", count: 5000)
        #expect(throws: Variables.Failure(reason: "has variables in variables too deep")) { try Variables().expand(nested) }
    }
}
