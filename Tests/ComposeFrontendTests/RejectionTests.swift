import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import ComposeFrontend

/// What a request is refused with; the messages are part of the service.
@Suite struct RejectionTests {
    static let bodies: [(body: String, message: String)] = [
        ("", #"The body is empty; it must be a JSON object such as {"source": {"type": "repo", "source": "https://…"}}."#),
        (" \n", #"The body is empty; it must be a JSON object such as {"source": {"type": "repo", "source": "https://…"}}."#),
        ("[]", "The body must be a JSON object, not a list."),
        ("null", "The body must be a JSON object, not null."),
        ("7", "The body must be a JSON object, not the number 7."),
        (#""repo""#, #"The body must be a JSON object, not the string "repo"."#),
        ("{}", #"source is missing; it must be an object such as {"type": "repo", "source": "https://…"}."#),
        (#"{"source": "/srv/repo"}"#, #"source must be an object, not the string "/srv/repo"."#),
        (#"{"source": null}"#, "source must be an object, not null."),
        (#"{"source": {}}"#, "source.type is missing; it must be one of: tag, module, repo, pulp, raw_config, build, pungi_compose."),
        (#"{"source": {"type": 3}}"#, "source.type must be a string, not the number 3."),
        (
            #"{"source": {"type": "rep", "source": "/srv/a"}}"#,
            #"source.type is "rep", which is no source type; these are: repo, tag, pulp, build, module, raw_config, pungi_compose."#
        ),
        (
            #"{"source": {"type": "repo"}}"#,
            "source.source is missing; for the source type repo it must be the place of a repository: an absolute path or a URL, "
                + "or several with spaces between them."
        ),
        (
            #"{"source": {"type": "repo", "source": "  "}}"#,
            "source.source is missing; for the source type repo it must be the place of a repository: an absolute path or a URL, "
                + "or several with spaces between them."
        ),
        (#"{"source": {"type": "repo", "source": ["/srv/a"]}}"#, "source.source must be a string, not a list."),
        (#"{"source": {"type": "repo", "source": true}}"#, "source.source must be a string, not true."),
        (
            #"{"source": {"type": "repo", "source": "/etc"}}"#,
            "The repository /etc is outside of what this server may read: /srv."
        ),
        (
            #"{"source": {"type": "repo", "source": "/srv/a;id"}}"#,
            "source.source contains ;, which is not allowed there. Letters, digits and any of - / _ . : # + ? $ ~ ^ , and the space are allowed."
        ),
        (
            #"{"source": {"type": "repo", "source": "/srv/a\nb"}}"#,
            "source.source contains U+000A, which is not allowed there. Letters, digits and any of - / _ . : # + ? $ ~ ^ , and the space are allowed."
        ),
        (
            #"{"source": {"type": "repo", "source": "/srv/a"}, "whatever": [{"deep": "a'b"}]}"#,
            "whatever[0].deep contains ', which is not allowed there. Letters, digits and any of - / _ . : # + ? $ ~ ^ , and the space are allowed."
        ),
        (repo(#""packages": "ed""#), #"source.packages must be a list of strings, not the string "ed"."#),
        (repo(#""packages": null"#), "source.packages must be a list of strings, not null."),
        (repo(#""packages": ["ed", "sed", 5]"#), "source.packages[2] must be a string, not the number 5."),
        (repo(#""packages": ["ed", ["sed"]]"#), "source.packages[1] must be a string, not a list."),
        (repo(#""packages": ["ed", ""]"#), "source.packages[1] is empty; leave it out instead."),
        (
            repo(#""packages": ["ed sed"]"#),
            #"source.packages[0] is "ed sed" and contains a space; each entry must be one word."#
        ),
        (
            repo(#""packages": ["ed\u0000"]"#),
            #"source.packages[0] is "edU+0000" and contains U+0000; each entry must be one word."#
        ),
        (repo(#""builds": ["ed"]"#), #"source.builds[0] is "ed"; it must be a build as NAME-VERSION-RELEASE, such as ed-1.20-3.fc42."#),
        (
            repo(#""sigkeys": ["", "fd431d5"]"#),
            #"source.sigkeys[1] is "fd431d5"; a key id has 8 or 16 hexadecimal digits, and "" allows unsigned packages."#
        ),
        (repo(#""koji_event": "1""#), #"source.koji_event must be an integer, not the string "1"."#),
        (repo(#""koji_event": true"#), "source.koji_event must be an integer, not true."),
        (repo(#""koji_event": 1.5"#), "source.koji_event must be an integer, not the number 1.5."),
        (repo(#""koji_event": 0"#), "source.koji_event must be at least 1, not 0."),
        (
            repo(#""module_defaults_url": "https://example.com/d.git""#),
            "source.module_defaults_url and source.module_defaults_commit must be given together, or neither of them."
        ),
        (repo(top: #""flags": "no_deps""#), #"flags must be a list of strings, not the string "no_deps"."#),
        (
            repo(top: #""flags": ["no_dep"]"#),
            #"flags[0] is "no_dep", which is no flag; these are possible: no_deps, no_reuse, no_label, check_deps, no_inheritance, "#
                + "include_done_modules, ignore_absent_pulp_repos, use_only_compatible_arch, include_unpublished_pulp_repos."
        ),
        (
            repo(top: #""results": ["dvd"]"#),
            #"results[0] is "dvd", which is no result; these are possible: iso, ostree, boot.iso, repository."#
        ),
        (
            repo(top: #""multilib_method": ["dev"]"#),
            #"multilib_method[0] is "dev", which is no multilib method; these are possible: devel, iso, all, none, runtime."#
        ),
        (repo(top: #""arches": "x86_64""#), #"arches must be a list of strings, not the string "x86_64"."#),
        (
            repo(top: #""arches": ["x86_64", "noarch"]"#),
            "arches[1] is noarch, which is no architecture of a machine; its packages come with every architecture."
        ),
        (
            repo(top: #""target_dir": "privat""#),
            #"target_dir is "privat", which is no target directory of this server; these are: private, default."#
        ),
        (repo(top: #""seconds_to_live": 0"#), "seconds_to_live must be at least 1; it is a number of seconds."),
        (repo(top: #""seconds_to_live": -5"#), "seconds_to_live must be at least 1; it is a number of seconds."),
        (repo(top: #""seconds-to-live": "0""#), "seconds-to-live must be at least 1; it is a number of seconds."),
        (repo(top: #""seconds-to-live": "soon""#), #"seconds-to-live must be an integer, not the string "soon"."#),
        (repo(top: #""seconds_to_live": 1.5"#), "seconds_to_live must be an integer, not the number 1.5."),
        (repo(top: #""seconds_to_live": true"#), "seconds_to_live must be an integer, not true."),
        (
            repo(top: #""seconds_to_live": 1000000000000"#),
            "seconds_to_live is too large. A compose lives at most 7200 seconds here."
        ),
        (
            repo(top: #""seconds_to_live": 123456789012345678901234567890"#),
            "seconds_to_live is too large. A compose lives at most 7200 seconds here."
        ),
        (
            repo(top: #""seconds-to-live": "123456789012345678901234567890""#),
            "seconds-to-live is too large. A compose lives at most 7200 seconds here."
        ),
        (
            repo(top: #""seconds_to_live": 60, "seconds-to-live": """#), #"seconds-to-live must be an integer, not the string ""."#
        ),
        (repo(top: #""seconds_to_live": 60, "seconds-to-live": 0"#), "seconds-to-live must be at least 1; it is a number of seconds."),
        (repo(top: #""seconds_to_live": "+5""#), #"seconds_to_live must be an integer, not the string "+5"."#),
        (
            repo(top: #""label": "RC""#),
            #"label is "RC"; it must be a milestone and two numbers, such as RC-1.0. The milestones are: EA, DevelPhaseExit, "#
                + "InternalAlpha, Alpha, InternalSnapshot, Beta, Snapshot, RC, Update, SecurityFix."
        ),
        (
            repo(top: #""compose_type": "prod""#),
            #"compose_type is "prod", which is no type of a compose; these are: test, ci, production, nightly, development."#
        ),
        (
            #"{"source": {"type": "module", "source": "nodejs"}}"#,
            #"source.source is "nodejs"; it must be a module as N:S, N:S:V or N:S:V:C, such as nodejs:22."#
        ),
        (
            #"{"source": {"type": "module", "source": "nodejs:22", "packages": ["npm"]}}"#,
            "source.packages cannot be used with the source type module: a module says itself which packages are its own."
        ),
        (
            #"{"source": {"type": "module", "source": "nodejs:22:newest"}}"#,
            #"source.source is "nodejs:22:newest", whose version is no number; a module is written N:S, N:S:V or N:S:V:C."#
        ),
        (
            #"{"source": {"type": "module", "source": "nodejs:22 platform:f26"}}"#,
            #"source.source is "platform:f26", a base module, which every machine has already: it stands for the version of the system. "#
                + "Name the modules that are to be in the compose."
        ),
        (repo(top: #""module_hotfixes": "yes""#), #"module_hotfixes must be true or false, not the string "yes"."#),
        (
            #"{"source": {"type": "raw_config", "source": "pungi_cfg"}}"#,
            #"source.source is "pungi_cfg"; it must be one NAME#COMMIT of a Pungi configuration."#
        ),
        (
            #"{"source": {"type": "raw_config", "source": "pungi#main"}}"#,
            #"source.source names "pungi", which is no Pungi configuration of this server; these are: pungi_cfg."#
        ),
        (
            #"{"source": {"type": "tag", "source": "f42"}}"#,
            "This server makes no composes of the source type tag: the setting koji.hub is missing in its configuration."
        ),
        (
            #"{"source": {"type": "tag"}, "results": ["dvd"]}"#,
            "This server makes no composes of the source type tag: the setting koji.hub is missing in its configuration."
        ),
    ]

    @Test(
        "modules are refused with every source type that would ignore them, and nothing is stored",
        arguments: [
            ("repo", "/srv/repo"), ("pulp", "rhel-9-for-x86_64"), ("raw_config", "pungi_cfg#abc"),
            ("pungi_compose", "https://example.com/compose/Server"),
        ])
    func ignoredModules(type: String, source: String) async throws {
        try await FrontendFixture.with(configure: { $0.admission.capabilities = .all }) { frontend in
            for (member, members) in [
                ("modular_koji_tags", #""modular_koji_tags": ["f42-modular"]"#), ("scratch_modules", #""scratch_modules": ["a:b:1:c"]"#),
                (
                    "module_defaults_url",
                    #""module_defaults_url": "https://example.com/d.git", "module_defaults_commit": "main""#
                ),
            ] {
                let answer = try await frontend.post(#"{"source": {"type": "\#(type)", "source": "\#(source)", \#(members)}}"#)
                #expect(answer.status == 400)
                #expect(
                    try answer.message
                        == "\(member) cannot be used with the source type \(type), where it would have no effect: modules are taken along with "
                        + "tag, build and module.")
            }
            #expect(try await frontend.composesStored == 0)
        }
    }

    private static func repo(_ members: String) -> String {
        #"{"source": {"type": "repo", "source": "/srv/repo", \#(members)}}"#
    }

    private static func repo(top members: String) -> String {
        #"{"source": {"type": "repo", "source": "/srv/repo"}, \#(members)}"#
    }

    @Test("a body that cannot be meant is refused with what would be right, and nothing is stored")
    func bodies() async throws {
        try await FrontendFixture.with { frontend in
            for (body, message) in Self.bodies {
                let answer = try await frontend.post(body)
                #expect(answer.status == 400, "\(body)")
                let document = try answer.json
                #expect(document == .object(["status": .integer(400), "error": .string("Bad Request"), "message": .string(message)]))
                #expect(answer.headers[.contentType] == "application/json")
            }
            #expect(try await frontend.composesStored == 0)
        }
    }

    @Test(
        "a body that is not JSON is refused, and told where",
        arguments: [
            "{", "{\"source\": }", "{} {}", "nul", "{'source': 1}", "\u{FEFF}x", "{\"a\": 01}", "{\"a\": \"\n\"}",
            #"{"a": "\ud800"}"#, "{\"a\": NaN}", "{\"a\": 1,}", "{\"a\": [1, \n]}", "[\"\\\\\",]",
        ])
    func notJSON(body: String) async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.post(body)
            #expect(answer.status == 400)
            let message = try #require(try answer.message)
            #expect(message.hasPrefix("The body is not JSON: "))
            #expect(try await frontend.composesStored == 0)
        }
    }

    @Test("a body that is nested too deeply is refused")
    func deep() async throws {
        try await FrontendFixture.with { frontend in
            for body in [String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 10_000)] {
                let answer = try await frontend.post(body)
                #expect(answer.status == 400)
                let message = try #require(try answer.message)
                #expect(message.hasPrefix("The body is not JSON: "))
            }
        }
    }

    @Test("a body that is not UTF-8 is refused")
    func notUTF8() async throws {
        try await FrontendFixture.with { frontend in
            let bytes = Array(#"{"source": {"type": "repo", "source": "/srv/"#.utf8) + [0xC3, 0x28] + Array(#""}}"#.utf8)
            let answer = try await frontend.client.execute(uri: "/api/1/composes/", method: .post, body: .init(bytes: bytes)) { Answer($0) }
            #expect(answer.status == 400)
            #expect(try answer.message == "The body is not text in UTF-8.")
        }
    }

    @Test("lists have limits")
    func limits() async throws {
        try await FrontendFixture.with { frontend in
            let packages = (0...10_000).map { "\"p\($0)\"" }.joined(separator: ",")
            let many = try await frontend.post(Self.repo("\"packages\": [\(packages)]"))
            #expect(try many.message == "source.packages has 10001 entries; 10000 are possible.")
            let long = try await frontend.post(Self.repo("\"packages\": [\"\(String(repeating: "x", count: 1025))\"]"))
            #expect(try long.message == "source.packages[0] has 1025 characters; 1024 are possible.")
            #expect(try await frontend.composesStored == 0)
        }
    }

    @Test(
        "a list's query that cannot be meant is refused",
        arguments: [
            ("page=0", #"page must be an integer from 1 on, not "0"."#),
            ("page=x", #"page must be an integer from 1 on, not "x"."#),
            ("page=99999999999999999999", #"page must be an integer from 1 on, not "99999999999999999999"."#),
            ("per_page=-1", #"per_page must be an integer from 1 on, not "-1"."#),
            (
                "order_by=stat",
                #"order_by cannot be "stat". Use one of these, with a leading - for descending order: state, id, owner, "#
                    + "source_type, koji_event, time_done, time_submitted, time_removed, time_to_expire."
            ),
            ("state=5", #"state cannot be "5". Use one of these: 0 or wait, 1 or generating, 2 or done, 3 or removed, 4 or failed."#),
            (
                "source_type=rpm",
                #"source_type is "rpm", which is no source type; these are: 1 or tag, 2 or module, 3 or repo, 4 or pulp, 5 or raw_config, "#
                    + "6 or build, 7 or pungi_compose."
            ),
            ("owner=%ff", #"The query has "owner=%ff", which is not percent-encoded UTF-8."#),
            ("owner=a%00", "owner contains U+0000, which no compose does."),
        ])
    func queries(query: String, message: String) async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.get("/api/1/composes/?\(query)")
            #expect(answer.status == 400)
            let text = try answer.message
            #expect(text == message)
        }
    }
}
