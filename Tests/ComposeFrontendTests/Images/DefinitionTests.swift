import Foundation
import ImageModel
import Testing

@testable import ComposeFrontend

/// Definitions that cannot be built, and the sentences that say why.
@Suite struct DefinitionTests {
    private static func with(_ source: String, _ more: String = "") -> String {
        #"{"repository": "web", "definition": {"source": \#(source), "platforms": ["linux/amd64"]\#(more)}}"#
    }

    private static func with(containerfile lines: String..., more: String = "") -> String {
        with(#"{"containerfile": "\#(lines.joined(separator: "\\n"))"}"#, more)
    }

    @Test(
        "a definition with a mistake is refused, and the sentence names it",
        arguments: [
            ("{}", "repository is missing. It must be the name of an image, such as team/web."),
            (
                #"{"repository": "web"}"#,
                #"definition is missing. It must be an object such as {"source": {"containerfile": "FROM scratch"}, "platforms": ["linux/amd64"]}."#
            ),
            (#"{"repository": "web", "platforms": []}"#, "platforms is not known. The members are repository, definition."),
            (
                #"{"repository": "Web", "definition": {}}"#,
                #"repository: "Web" in the name "team/Web" must be lowercase letters and digits, separated by a dot, one or two underscores, or hyphens."#
            ),
            (
                #"{"repository": "web:1", "definition": {}}"#,
                #"repository: "web:1" in the name "team/web:1" must be lowercase letters and digits, separated by a dot, one or two underscores, or hyphens."#
            ),
            (
                #"{"repository": "registry.example.org/web:1", "definition": {}}"#,
                #"repository: "registry.example.org/web:1" has a tag or a digest. The name of an image has neither."#
            ),
            (
                #"{"repository": "other.example.org/web", "definition": {}}"#,
                "repository is of the registry other.example.org, which is not allowed. The setting images.allowed_registries allows others "
                    + "than registry.example.org."
            ),
            (
                #"{"repository": "odcs/contexts", "definition": {}}"#,
                "repository is the place of uploaded contexts. Use another name."
            ),
            (
                #"{"repository": "web", "definition": {"platforms": ["linux/amd64"]}}"#,
                "definition.source is missing. It must be an object with containerfile, git or archive."
            ),
            (
                #"{"repository": "web", "definition": {"source": {"containerfile": "FROM scratch"}}}"#,
                #"definition.platforms is missing. It must be a list such as ["linux/amd64"]."#
            ),
            (with("{}"), "definition.source must have exactly one of containerfile, git and archive, and has none."),
            (
                with(#"{"containerfile": "FROM scratch", "archive": "x"}"#),
                "definition.source must have exactly one of containerfile, git and archive, and has containerfile and archive."
            ),
            (
                with(#"{"archive": "x"}"#),
                #"definition.source.archive: "x" is not a digest, as sha256: with 64 hexadecimal digits is one."#
            ),
            (
                with(#"{"git": {"url": "https://example.org/x.git"}}"#),
                "definition.source.git must have a url and a reference, which is a branch, a tag or a commit."
            ),
            (
                with(#"{"git": {"url": "https://example.org/x.git", "reference": "--upload-pack=x"}}"#),
                #"definition.source.git.reference is "--upload-pack=x". It must be one word that does not begin with -."#
            ),
            (
                with(#"{"git": {"url": "https://example.org/x.git", "reference": "main", "folder": "a/../.."}}"#),
                #"definition.source.git.folder is "a/../..". It must be a path below the top of the repository."#
            ),
            (
                with(#"{"git": {"url": "/etc", "reference": "main"}}"#),
                "definition.source.git.url: The repository /etc is outside of what this server may read: /srv."
            ),
            (
                with(#"{"git": {"url": "/srv/web.git", "reference": "main"}}"#),
                #"definition.source.git.url is "/srv/web.git". It must begin with https://, because the image is made from what it sends."#
            ),
            (
                with(containerfile: "FROM scratch", more: #", "arch": "x86_64""#),
                "definition.arch is not known. The members are source, platforms, arguments, requires, network, update, moves_latest, "
                    + "missing, required_platforms, tags, caches, disk_megabytes, memory_megabytes, content."
            ),
            (
                with(containerfile: "FROM scratch", more: #", "tags": ["v1-{date}", "latest"]"#),
                #"definition.tags has "latest". It must be a tag in which {date} may stand for the tag of the date, such as v1-{date} or stable. "#
                    + "The tags of the date and latest have members of their own."
            ),
            (
                with(containerfile: "FROM scratch", more: #", "tags": ["a", "a"]"#),
                "definition.tags must have at most 20 different tags."
            ),
            (
                with(containerfile: "FROM scratch", more: #", "caches": {"c": "/var/../etc"}"#),
                #"definition.caches.c is "/var/../etc". It must be an absolute path of letters, digits, _, ., + and -."#
            ),
            (
                with(containerfile: "FROM scratch", more: #", "caches": {"c": "/etc"}"#),
                "definition.caches.c cannot be /etc, because a build has other files there."
            ),
            (
                with(containerfile: "FROM scratch", more: #", "caches": {"a,b": "/c"}"#),
                #"definition.caches has the name "a,b". It must have letters, digits, _, . and -, and begin with a letter or a digit."#
            ),
            (
                with(containerfile: "FROM scratch", more: #", "disk_megabytes": -1"#),
                "definition.disk_megabytes is -1. It must be from 0 to 100000000, and 0 stands for no need."
            ),
            (
                with(containerfile: "FROM scratch", more: #", "content": {}"#),
                #"definition.content: source is missing; it must be an object such as {"type": "repo", "source": "https://…"}."#
            ),
            (
                with(containerfile: "FROM scratch", more: #", "arguments": {"A B": "x"}"#),
                #"definition.arguments has the name "A B". The name of an argument has letters, digits and _."#
            ),
            (
                with(containerfile: "FROM scratch", more: #", "arguments": {"A": 1}"#),
                "definition.arguments.A must be a string, not the number 1."
            ),
            (
                with(containerfile: "FROM scratch", more: #", "requires": {"host": "a b"}"#),
                #"definition.requires must have at most 20 labels of letters, digits, _, ., / and -, such as {"host": "rhel"}."#
            ),
            (
                with(containerfile: "FROM scratch", more: #", "network": "bridge""#),
                #"definition.network is "bridge". It must be none or host."#
            ),
            (
                with(containerfile: "FROM scratch", more: #", "network": "host""#),
                "definition.network cannot be host on this server: the setting images.network allows none."
            ),
            (
                #"{"repository": "web", "definition": {"source": {"containerfile": "FROM scratch"}, "platforms": []}}"#,
                "definition.platforms has 0 entries. It must have 1 to 20, such as linux/amd64."
            ),
            (
                #"{"repository": "web", "definition": {"source": {"containerfile": "FROM scratch"}, "platforms": ["arm64", "linux/arm64/v8"]}}"#,
                "definition.platforms[1] is linux/arm64 once more."
            ),
        ] as [(String, String)])
    func mistakes(body: String, message: String) async throws {
        try await FrontendFixture.withImages { frontend in
            let answer = try await frontend.post(body, to: "/api/1/images/")
            #expect(answer.status == 400)
            #expect(try answer.message == message)
        }
    }

    @Test("a definition says which platforms a build needs, and without that it needs all of them")
    func missing() async throws {
        try await FrontendFixture.withImages { frontend in
            func answer(_ members: String) async throws -> Answer {
                let definition = #"{"source": {"containerfile": "FROM scratch\nCOPY . /\n"}, "platforms": ["amd64", "arm64"]\#(members)}"#
                return try await frontend.post(#"{"repository": "web", "definition": \#(definition)}"#, to: "/api/1/images/")
            }
            let all: JSONValue = .array([.string("linux/amd64"), .string("linux/arm64")])
            for (members, missing, required) in [
                ("", "fail", all), (#", "missing": "leave-out""#, "leave-out", .array([])),
                (#", "missing": "leave-out", "required_platforms": ["x86_64"]"#, "leave-out", .array([.string("linux/amd64")])),
                (#", "missing": "fail", "required_platforms": ["amd64", "arm64"]"#, "fail", all),
            ] as [(String, String, JSONValue)] {
                let definition = try await answer(members).json["definition"]
                #expect(definition?["missing"] == .string(missing), "\(members)")
                #expect(definition?["required_platforms"] == required, "\(members)")
            }
            for (members, message) in [
                (#", "missing": "x""#, #"definition.missing is "x". It must be fail or leave-out."#),
                (
                    #", "missing": "fail", "required_platforms": ["amd64"]"#,
                    "definition.required_platforms needs missing: leave-out. With fail, all platforms are required."
                ),
                (
                    #", "missing": "leave-out", "required_platforms": ["s390x"]"#,
                    "definition.required_platforms has linux/s390x, which definition.platforms does not have."
                ),
            ] {
                let refused = try await answer(members)
                #expect(refused.status == 400)
                #expect(try refused.message == message)
            }
        }
    }

    @Test(
        "a Containerfile with a mistake or a refused instruction is refused before anything runs",
        arguments: [
            (["RUN true"], "line 1: RUN stands before the first FROM, where only ARG may stand."),
            (
                ["FROM scratch", "RUN --network=host true"],
                "line 2: RUN --network=host is not allowed: the network is a property of the image, not of a command."
            ),
            (
                ["FROM scratch", "ADD https://example.org/x /", "RUN --mount=type=ssh true"],
                "line 2: ADD https://example.org/x is not allowed: the image has no network. Put the file into the context. "
                    + "line 3: RUN --mount=type=ssh is not allowed: no key of the node is for a build."
            ),
            (
                ["# syntax=docker/dockerfile:1", "FROM scratch"],
                "line 1: # syntax= is not allowed: it names a program that replaces the parser."
            ),
            (
                ["FROM scratch", "RUN --mount=type=bind,target=/run/odcs true"],
                "line 2: RUN --mount with the target /run/odcs is not allowed: ODCS mounts its packages there."
            ),
            (
                ["FROM debian:12"],
                "line 1: the image debian:12 is of the registry docker.io, which is not allowed. Images come from registry.example.org. "
                    + "The setting images.allowed_registries allows others."
            ),
            (
                ["FROM scratch", "RUN <<EOF", "set -e", "EOF"],
                "line 3: there is no instruction \"set\"; the here-document of line 2 is not read, because builders before buildah 1.33 "
                    + "do not know it."
            ),
            (["ARG BASE", "FROM $BASE"], "line 2: FROM $BASE names no image: BASE has no value."),
        ] as [([String], String)])
    func containerfile(lines: [String], problems: String) async throws {
        try await FrontendFixture.withImages { frontend in
            let text = lines.joined(separator: "\\n")
            let answer = try await frontend.post(Self.with(#"{"containerfile": "\#(text)"}"#), to: "/api/1/images/")
            #expect(answer.status == 400)
            #expect(try answer.message == "definition.source.containerfile cannot be built. \(problems)")
            #expect(try await frontend.get("/api/1/images/").json["items"] == .array([]))
        }
    }

    @Test("a registry that the operator allows can be named, and so can a base that only an argument names")
    func allowed() async throws {
        let debian = try RegistryHost("docker.io")
        try await FrontendFixture.withImages(configure: { $0.images?.allowedRegistries = [debian] }) { frontend async throws in
            let body = Self.with(containerfile: "ARG BASE", "FROM $BASE", more: #", "arguments": {"BASE": "debian:12"}"#)
            #expect(try await frontend.post(body, to: "/api/1/images/").status == 200)
            let git = Self.with(#"{"git": {"url": "https://example.org/x.git", "reference": "main", "folder": "web"}}"#)
            #expect(try await frontend.post(git, to: "/api/1/images/").status == 200)
        }
    }

    @Test("the host's network can be asked for if the operator allows it, and ADD may name an address then")
    func network() async throws {
        try await FrontendFixture.withImages(configure: { $0.images?.allowsHostNetwork = true }) { frontend async throws in
            let body = Self.with(containerfile: "FROM scratch", "ADD https://example.org/x /", more: #", "network": "host""#)
            #expect(try await frontend.post(body, to: "/api/1/images/").json["definition"]?["network"] == .string("host"))
        }
    }
}
