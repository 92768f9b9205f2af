import Containerfiles
import ImageModel
import Testing

@Suite("Instructions that are refused")
struct RulesTests {
    @Test("of a file with thousands of refused lines, the first 20 are listed")
    func many() throws {
        // Inputs of the fuzzer were like this one. The nearest names of so many long words took minutes.
        let lines = Array(repeating: "ONBUILD RU\(String(repeating: "0", count: 90))", count: 9000)
        let problems = ContainerfileRules().problems(in: try Containerfile("FROM a\n" + lines.joined(separator: "\n")))
        #expect(problems.map(\.line) == Array(2...22))
        #expect(problems.last?.message == "this line and those below it were not checked; mend the lines above first")
    }

    @Test(
        "each refused instruction has a sentence with its line",
        arguments: [
            ("RUN --security=insecure x", "RUN --security=insecure is not allowed: no command may leave its sandbox"),
            (
                "RUN --network=host x",
                "RUN --network=host is not allowed: the network is a property of the image, not of a command"
            ),
            ("RUN --mount=type=ssh x", "RUN --mount=type=ssh is not allowed: no key of the node is for a build"),
            ("RUN --mount=target=/k,type=SSH x", "RUN --mount=type=SSH is not known. The types are bind, cache, tmpfs and secret"),
            (
                "RUN --mount=type=secret,id=token x",
                "RUN --mount=type=secret,id=token is not allowed: the image does not name the secret \"token\""
            ),
            ("RUN --mount=type=bind,rw,target=/x x", "RUN --mount=type=bind may only be read, so rw is not allowed"),
            ("RUN --mount=target=/x,readonly=false x", "RUN --mount=type=bind may only be read, so rw is not allowed"),
            (
                "RUN --mount=type=cache,from=odcs,target=/x x",
                "RUN --mount=type=cache with from=odcs is not allowed: a command could write there"
            ),
            (
                "RUN --mount=from=b,source=/s,target=/x x",
                "RUN --mount with source=/s of from=b is not allowed: it may be a link that leads out of the build. "
                    + "Leave source out, or use COPY --from=b"
            ),
            (
                "RUN --mount=type=bind,from=b,src=/,src=s,target=/x x",
                "RUN --mount with source=s of from=b is not allowed: it may be a link that leads out of the build. "
                    + "Leave source out, or use COPY --from=b"
            ),
            (
                "ARG S=/\nRUN --mount=from=b,source=$S,target=/x x",
                "RUN --mount=from=b,source=$S,target=/x is not allowed: builders do not agree about variables in it"
            ),
            (
                "ARG M=ro\nRUN --mount=$M,target=/x x",
                "RUN --mount=$M,target=/x is not allowed: builders do not agree about variables in it"
            ),
            (
                "RUN --mount=target=/x,bind-propagation=shared x",
                "RUN --mount=type=bind with the option \"bind-propagation\" is not allowed"
            ),
            (
                "RUN --mount=type=cache,id=../../x,target=/x x",
                "RUN --mount=type=cache with id=../../x is not allowed: the id leads out of the caches"
            ),
            ("RUN --mount=type=cache,target=../x x", "RUN --mount=type=cache needs a target that begins with /"),
            ("RUN --mount=type=cache,type=ssh x", "RUN --mount=type=cache,type=ssh has more than one type"),
            (
                "RUN --mount=target=/run/../run/odcs/ x",
                "RUN --mount with the target /run/../run/odcs/ is not allowed: ODCS mounts its packages there"
            ),
            ("RUN --mount=dst=/run x", "RUN --mount with the target /run is not allowed: ODCS mounts its packages there"),
            ("RUN --mount=type=$T x", "RUN --mount=type=$T is not allowed: the value of T is not known here"),
            ("ARG T=ssh\nRUN --mount=type=$T x", "RUN --mount=type=ssh is not allowed: no key of the node is for a build"),
            (
                "ADD https://example.org/x /x",
                "ADD https://example.org/x is not allowed: the image has no network. Put the file into the context"
            ),
            (
                "ADD [\"git@example.org:x\", \"/x\"]",
                "ADD git@example.org:x is not allowed: the image has no network. Put the file into the context"
            ),
            (
                "ENV U=http://example.org\nADD $U/x /x",
                "ADD http://example.org/x is not allowed: the image has no network. Put the file into the context"
            ),
            ("ADD $U/x /x", "ADD $U/x is not allowed: the value of U is not known here, and may be an address"),
            (
                "ONBUILD RUN --network=host x",
                "ONBUILD RUN --network=host is not allowed: the network is a property of the image, not of a command"
            ),
        ])
    func refused(text: String, message: String) throws {
        let file = try Containerfile("FROM a\n" + text)
        let line = text.contains("\n") ? 3 : 2
        #expect(ContainerfileRules().problems(in: file) == [ContainerfileProblem(line: line, message)])
    }

    @Test(
        "ordinary instructions are not refused",
        arguments: [
            "RUN --network=none --security=sandbox x", "RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t x",
            "RUN --mount=type=cache,id=/go/pkg,target=c,sharing=locked x", "RUN --mount=from=b,target=/x x",
            "RUN --mount=from=b,source=/,target=/x x", "ARG U=0\nRUN --mount=type=cache,target=/c,uid=$U x",
            "RUN --mount=type=bind,source=x,target=/x,ro x", "RUN --mount=type=secret,id=named x", "ADD x.tar /x", "COPY http /x",
            "RUN curl https://example.org",
        ])
    func allowed(text: String) throws {
        #expect(ContainerfileRules(secrets: ["named"]).problems(in: try Containerfile("FROM a\n" + text)) == [])
    }

    @Test("an image with network may ADD from addresses")
    func network() throws {
        let file = try Containerfile("FROM a\nADD https://example.org/x /x")
        #expect(ContainerfileRules(network: .host).problems(in: file) == [])
    }

    @Test("a syntax directive and a stage named like a build context of ODCS are refused, and all problems are reported")
    func wholeFile() throws {
        let file = try Containerfile("# syntax=x\nFROM a AS ODCS\nRUN --network=host x")
        #expect(
            ContainerfileRules().problems(in: file).map(\.description) == [
                "line 1: # syntax= is not allowed: it names a program that replaces the parser",
                "line 2: no stage may have the name odcs, which ODCS uses itself",
                "line 3: RUN --network=host is not allowed: the network is a property of the image, not of a command",
            ])
    }
}
