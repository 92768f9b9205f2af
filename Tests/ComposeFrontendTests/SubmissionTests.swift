import ComposeModel
import ComposeStore
import ComposeTestKit
import HTTPTypes
import Testing

@testable import ComposeFrontend

/// What a request that is accepted becomes.
@Suite struct SubmissionTests {
    /// Every member that the contract names.
    static let contract: Set<String> = [
        "id", "owner", "source_type", "source", "state", "state_name", "state_reason", "time_submitted", "time_started", "time_done",
        "time_to_expire", "time_removed", "removed_by", "result_repo", "result_repofile", "toplevel_url", "flags", "results", "sigkeys",
        "koji_event", "koji_task_id", "packages", "builds", "arches", "multilib_arches", "multilib_method", "lookaside_repos",
        "modular_koji_tags", "module_defaults_url", "label", "compose_type", "pungi_compose_id", "scratch_modules",
        "parent_pungi_compose_ids", "scratch_build_tasks", "modules", "respin_of", "base_module_br_name", "base_module_br_stream",
        "base_module_br_stream_version_lte", "base_module_br_stream_version_gte", "target_dir",
    ]

    @Test("the smallest request gets the defaults, and an answer with everything in it")
    func smallest() async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.post(#"{"source": {"type": "repo", "source": "/srv/repo"}}"#)
            #expect(answer.status == 200)
            let compose = try answer.json
            #expect(compose.keys.isSuperset(of: Self.contract))
            #expect(compose["pungi_config_dump"] == nil)
            #expect(compose["id"] == .integer(1))
            #expect(compose["owner"] == .string("unknown"))
            #expect(compose["source_type"] == .integer(3))
            #expect(compose["source"] == .string("/srv/repo"))
            #expect(compose["state"] == .integer(0))
            #expect(compose["state_name"] == .string("wait"))
            #expect(compose["packages"] == .null)
            #expect(compose["flags"] == .array([]))
            #expect(compose["results"] == .array([.string("repository")]))
            #expect(compose["arches"] == .string("x86_64 aarch64"))
            #expect(compose["compose_type"] == .string("test"))
            #expect(compose["toplevel_url"] == .string("https://odcs.example.com/composes/odcs-1"))
            #expect(compose["result_repo"] == .string("https://odcs.example.com/composes/odcs-1/compose/Temporary"))
            #expect(compose["result_repofile"] == .string("https://odcs.example.com/composes/odcs-1/compose/Temporary/odcs-1.repo"))

            let stored = try #require(try await frontend.database.store.compose(1))
            #expect(
                stored.request
                    == ComposeRequest(
                        sourceType: .repo, source: ["/srv/repo"], arches: ["x86_64", "aarch64"], composeType: "test", secondsToLive: 3600))

            let shown = try await frontend.get("/api/1/composes/1").json
            #expect(shown.keys == compose.keys.union(["pungi_config_dump", "queue"]))
            #expect(shown["pungi_config_dump"] == .null)
        }
    }

    @Test("everything that can be asked for is kept")
    func everything() async throws {
        try await FrontendFixture.with(configure: { $0.admission.capabilities = .all }) { frontend in
            let answer = try await frontend.post(
                """
                {"source": {"type": "tag", "source": "f42-b  f42-a f42-b", "packages": ["ed", "lib*[0-9].so"], "builds": ["ed-1.20-3"],
                    "sigkeys": ["FD431D51", ""], "koji_event": 42, "modular_koji_tags": ["f42-modular"],
                    "module_defaults_url": "https://example.com/d.git", "module_defaults_commit": "main", "scratch_modules": ["a:b:1:c"],
                    "scratch_build_tasks": ["12"], "modules": ["x:y"], "base_module_br_name": "platform", "base_module_br_stream": "f42",
                    "base_module_br_stream_version_lte": 42, "base_module_br_stream_version_gte": 41},
                 "seconds_to_live": 100, "flags": ["no_deps", "check_deps"], "results": ["iso", "boot.iso"], "arches": ["s390x"],
                 "multilib_arches": ["x86_64"], "multilib_method": ["devel", "iso"], "lookaside_repos": ["https://example.com/r/"],
                 "label": "RC-1.0", "compose_type": "production", "target_dir": "private", "parent_pungi_compose_ids": ["P-1"],
                 "respin_of": "P-0", "module_hotfixes": true, "surprise": {"x": [1, null]}}
                """)
            #expect(answer.status == 200, "\(answer.text)")
            let stored = try #require(try await frontend.database.store.compose(1))
            #expect(
                stored.request
                    == ComposeRequest(
                        sourceType: .tag, source: ["f42-b", "f42-a"], packages: ["ed", "lib*[0-9].so"], builds: ["ed-1.20-3"],
                        sigkeys: ["FD431D51", ""], kojiEvent: 42, modularKojiTags: ["f42-modular"],
                        moduleDefaultsURL: "https://example.com/d.git",
                        moduleDefaultsCommit: "main", scratchModules: ["a:b:1:c"], scratchBuildTasks: ["12"], modules: ["x:y"],
                        baseModuleBrName: "platform", baseModuleBrStream: "f42", baseModuleBrStreamVersionLTE: 42,
                        baseModuleBrStreamVersionGTE: 41, flags: [.noDeps, .checkDeps], results: [.repository, .iso, .bootISO],
                        arches: ["s390x"],
                        multilibArches: ["x86_64"], multilibMethods: .devel, lookasideRepos: ["https://example.com/r/"], label: "RC-1.0",
                        composeType: "production", targetDir: "private", parentPungiComposeIDs: ["P-1"], respinOf: "P-0",
                        secondsToLive: 100,
                        moduleHotfixes: true))
            #expect(try answer.json["toplevel_url"] == .string("https://files.example.com/private/odcs-1"))
            #expect(try answer.json["module_defaults_url"] == .string("https://example.com/d.git main"))
        }
    }

    @Test(
        "a time to live may have its older name and form, and is cut down to the maximum",
        arguments: [
            (#""seconds_to_live": 60"#, 60), (#""seconds_to_live": "60""#, 60), (#""seconds-to-live": 60"#, 60),
            (#""seconds-to-live": "60""#, 60), (#""seconds_to_live": 7201"#, 7200), (#""seconds_to_live": 2147483647"#, 7200),
            (#""seconds_to_live": 6e1"#, 60),
            (#""seconds_to_live": 60, "seconds-to-live": 61"#, 60),
        ])
    func secondsToLive(member: String, seconds: Int) async throws {
        try await FrontendFixture.with { frontend in
            _ = try await frontend.post(#"{"source": {"type": "repo", "source": "/srv/repo"}, \#(member)}"#)
            #expect(try await frontend.database.store.compose(1)?.request.secondsToLive == seconds)
        }
    }

    @Test("no Content-Type is asked for, and any is taken")
    func contentType() async throws {
        try await FrontendFixture.with { frontend in
            let body = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#
            for type in ["text/plain", "application/x-www-form-urlencoded", "application/json"] {
                let answer = try await frontend.request(.post, "/api/1/composes", body, headers: [.contentType: type])
                #expect(answer.status == 200)
            }
        }
    }

    @Test("the signing keys of the configuration are those of a request that names none")
    func defaultSigkeys() async throws {
        try await FrontendFixture.with(configure: { $0.limits.defaultSigkeys = ["fd431d51"] }) { frontend in
            _ = try await frontend.post(#"{"source": {"type": "repo", "source": "/srv/repo"}}"#)
            _ = try await frontend.post(#"{"source": {"type": "repo", "source": "/srv/repo", "sigkeys": []}}"#)
            #expect(try await frontend.database.store.compose(1)?.request.sigkeys == ["fd431d51"])
            #expect(try await frontend.database.store.compose(2)?.request.sigkeys == [])
        }
    }

    @Test("the first published form asks for the same compose")
    func legacy() async throws {
        try await FrontendFixture.with { frontend in
            let body = #"{"source_type": "repo", "source": "/srv/repo", "packages": ["ed"], "seconds-to-live": 60, "flags": ["no_deps"]}"#
            let answer = try await frontend.post(body, to: "/odcs/1/composes")
            #expect(answer.status == 200)
            #expect(try answer.json.keys.isSuperset(of: Self.contract))
            #expect(
                try await frontend.database.store.compose(1)?.request
                    == ComposeRequest(
                        sourceType: .repo, source: ["/srv/repo"], packages: ["ed"], flags: .noDeps, arches: ["x86_64", "aarch64"],
                        composeType: "test", secondsToLive: 60))
            #expect(try await frontend.get("/odcs/1/composes/1").json["packages"] == .string("ed"))
            let list = try await frontend.get("/odcs/1/composes?owner=unknown").json
            #expect(list["items"]?.count == 1)
            #expect(list["meta"]?["first"] == .string("https://odcs.example.com/odcs/1/composes/?owner=unknown&page=1&per_page=10"))
        }
    }

    @Test("the form of later versions works at the first address too, and names modules with dashes there")
    func laterForm() async throws {
        try await FrontendFixture.with { frontend in
            let body = """
                {"source": {"type": "module", "source": "eog-f26-20170629213428", "sigkeys": ["fd431d51"]}, "arches": ["x86_64"],
                "flags": ["no_deps"], "seconds-to-live": "60"}
                """
            let answer = try await frontend.post(body, to: "/odcs/1/composes/")
            #expect(answer.status == 200, "\(answer.text)")
            let request = try #require(try await frontend.database.store.compose(1)?.request)
            #expect(request.sourceType == .module && request.source == ["eog-f26-20170629213428"])
            #expect(request.sigkeys == ["fd431d51"] && request.arches == ["x86_64"] && request.flags == .noDeps)
            #expect(request.secondsToLive == 60)
            #expect(try await frontend.post(body).status == 400)
        }
    }

    @Test("the first published form names modules with dashes, or with colons; the other form with colons alone")
    func legacyModules() async throws {
        try await FrontendFixture.with { frontend in
            let source = "nodejs-22 perl-DBI-1.6-20240101 ruby:3.3"
            let answer = try await frontend.post(#"{"source_type": "module", "source": "\#(source)"}"#, to: "/odcs/1/composes/")
            #expect(answer.status == 200)
            #expect(try answer.json["source"] == .string(source))
            for (path, body) in [
                ("/api/1/composes/", #"{"source": {"type": "module", "source": "nodejs-22"}}"#),
                ("/odcs/1/composes/", #"{"source_type": "module", "source": "nodejs"}"#),
                ("/odcs/1/composes/", #"{"source_type": "module", "source": "nodejs-"}"#),
            ] {
                let refused = try await frontend.post(body, to: path)
                #expect(refused.status == 400)
                let message = try #require(try refused.message)
                #expect(message.contains("it must be a module as N:S"))
            }
        }
    }

    @Test(
        "the first published form is refused in its own words",
        arguments: [
            ("{}", 400, "source_type is missing; it must be one of: tag, module, repo, pulp, raw_config, build, pungi_compose."),
            (
                #"{"source_type": "module", "source": "a:b", "packages": ["c"]}"#, 400,
                "packages cannot be used with the source type module: a module says itself which packages are its own."
            ),
            (
                #"{"source_type": "repo", "source": "/srv/a", "packages": "ed"}"#, 400,
                #"packages must be a list of strings, not the string "ed"."#
            ),
            (
                #"{"source_type": "repo", "source": {"type": "repo", "source": "/srv/a"}}"#, 400,
                "source_type cannot be beside a source that is an object. Move it into source, as type."
            ),
            (
                #"{"source": {"type": "repo", "source": "/srv/a"}, "packages": ["ed"]}"#, 400,
                "packages cannot be beside a source that is an object. Move it into source."
            ),
            (
                #"{"source": {"type": "repo", "source": "/srv/a", "packages": "ed"}}"#, 400,
                #"source.packages must be a list of strings, not the string "ed"."#
            ),
            (
                #"{"source": {}}"#, 400,
                "source.type is missing; it must be one of: tag, module, repo, pulp, raw_config, build, pungi_compose."
            ),
            (#"{"id": "1"}"#, 400, #"id must be an integer, not the string "1"."#),
            (#"{"id": 7}"#, 404, "There is no compose 7."),
        ])
    func legacyRejections(body: String, status: Int, message: String) async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.post(body, to: "/odcs/1/composes/")
            #expect(answer.status == status)
            #expect(try answer.message == message)
            #expect(try await frontend.composesStored == 0)
        }
    }
}
