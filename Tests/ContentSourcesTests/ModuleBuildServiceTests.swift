import ComposeModel
import Foundation
import Modules
import SystemPackage
import Testing

@testable import ContentSources

@Suite("The Module Build Service")
struct ModuleBuildServiceTests {
    /// A question that was recorded, and the builds of the recorded answer.
    struct Recorded: Sendable, CustomTestStringConvertible {
        let reference: String
        var filter = ModuleBuildFilter()
        let found: [String]
        var testDescription: String { "\(reference) \(filter.wantedBase) \(found)" }

        init(_ reference: String, _ found: [String], _ change: (inout ModuleBuildFilter) -> Void = { _ in }) {
            self.reference = reference
            self.found = found
            change(&filter)
        }
    }

    static let recorded = [
        Recorded(
            "testmodule:master",
            ["20180505000000:c2c572ec", "20180505000000:deadbeef", "20180405123256:c2c572ec", "20180405123256:ffffffff", "999:c2c572ec"]),
        Recorded(
            "testmodule:master",
            [
                "20180606000000:c2c572ec", "20180505000000:c2c572ec", "20180505000000:deadbeef", "20180405123256:c2c572ec",
                "20180405123256:ffffffff", "999:c2c572ec",
            ]
        ) { $0.includesDone = true },
        Recorded("testmodule:master:20180405123256", ["20180405123256:c2c572ec", "20180405123256:ffffffff"]),
        Recorded("testmodule:master:20180405123256:c2c572ec", ["20180405123256:c2c572ec"]),
        Recorded("testmodule:next-gen", ["20180501000000:c2c572ec"]),
        Recorded("nosuch:1", []),
        Recorded(
            "testmodule:master", ["20180505000000:c2c572ec", "20180405123256:c2c572ec", "20180405123256:ffffffff", "999:c2c572ec"]
        ) {
            $0.baseName = "platform"
            $0.baseStream = "f26.0.0"
        },
        Recorded(
            "testmodule:master", ["20180505000000:c2c572ec", "20180405123256:c2c572ec", "20180405123256:ffffffff", "999:c2c572ec"]
        ) {
            $0.baseName = "platform"
            $0.baseStreamVersionAtMost = 260000
            $0.baseStreamVersionAtLeast = 260000
        },
        Recorded("testmodule:master", ["20180505000000:deadbeef"]) {
            $0.baseName = "platform"
            $0.baseStreamVersionAtLeast = 270000
        },
    ]

    @Test("gives the builds that the recorded answers have", arguments: recorded)
    func builds(_ recorded: Recorded) async throws {
        let found = try await ModuleBuildBench.with(ModuleBuildReplay()) { (service, _) async throws in
            try await service.ids(recorded.reference, filter: recorded.filter)
        }
        let name = recorded.reference.split(separator: ":").prefix(2).joined(separator: ":")
        #expect(Set(found) == Set(recorded.found.map { "\(name):\($0)" }))
    }

    @Test("of each build its document, its tag in Koji and what it was built against")
    func content() async throws {
        let reference = try #require(ModuleReference("testmodule:next-gen"))
        let builds = try await ModuleBuildBench.with(ModuleBuildReplay()) { (service, _) async throws in
            try await service.builds(of: reference, filter: ModuleBuildFilter())
        }
        let build = try #require(builds.first)
        #expect(build.kojiTag == "module-testmodule-master-20180405123256-c2c572ec")
        #expect(build.bases == [ModuleBuild.Base(name: "platform", stream: "f26.0.0", streamVersion: 260000)])
        #expect(build.stream.requiredModules == ["platform"])
        #expect(build.stream.artifacts.count == 7)
        #expect(build.id.kojiBuild == "testmodule-next_gen-20180501000000.c2c572ec")
        #expect(build.scratchID == nil)
    }

    @Test("is asked below the API's address, with every state, whether the configuration names the version or not")
    func addresses() async throws {
        var filter = ModuleBuildFilter()
        filter.includesDone = true
        filter.baseName = "platform"
        filter.baseStreamVersionAtMost = 80300
        let request = try await ModuleBuildBench.with(ModuleBuildReplay()) { (service, server) async throws in
            _ = try await service.ids("testmodule:next-gen", filter: filter)
            return try #require(server.requests.first)
        }
        #expect(
            request.uri
                == "/module-build-service/1/module-builds/?nsvc=testmodule%3Anext-gen&state=3&state=5&base_module_br_name=platform"
                + "&base_module_br_stream_version_lte=80300.0&verbose=True&order_desc_by=version&order_desc_by=id&per_page=20&page=1")
        for url in [
            "https://mbs.example.org/m", "https://mbs.example.org/m/", "https://mbs.example.org/m/1/", "https://mbs.example.org/m/2",
        ] {
            let server = try ModuleBuildServer(url: url)
            #expect(server.api.description == "https://mbs.example.org/m/1")
            #expect(server.service.name == "the Module Build Service at https://mbs.example.org")
        }
        let error = #expect(throws: ModuleBuildServer.ConfigurationError.self) { try ModuleBuildServer(url: "mbs.example.org") }
        #expect(error?.description == "The address of the Module Build Service cannot be used: it is not a complete address.")
    }

    @Test("a file of certificates that is none is refused at the start, without its path")
    func certificates() throws {
        let server = try ModuleBuildServer(url: "https://mbs.example.org/", caFile: "/nowhere/ca.pem")
        let error = #expect(throws: ModuleBuildServer.ConfigurationError.self) { try server.tlsConfiguration() }
        #expect(
            error?.description
                == "The file of certificates that the Module Build Service's is checked against cannot be read, or holds no certificate in PEM form."
        )
    }

    @Test("pages are read until the newest version is complete, whatever the links in them say")
    func pages() async throws {
        var limits = ModuleBuildBench.limits
        limits.pageSize = 2
        let replay = ModuleBuildReplay()
        try await ModuleBuildBench.with(replay, limits: limits) { (service, server) async throws in
            // Two of the newest version fill the first page, so that a third of it could be on the second.
            #expect(
                try await service.ids("testmodule:master") == [
                    "testmodule:master:20180505000000:deadbeef", "testmodule:master:20180505000000:c2c572ec",
                    "testmodule:master:20180405123256:ffffffff", "testmodule:master:20180405123256:c2c572ec",
                ])
            #expect(server.requests.map { $0.query["page"] } == ["1", "2"])
        }
        limits.pageSize = 1
        try await ModuleBuildBench.with(replay, limits: limits) { (service, server) async throws in
            var filter = ModuleBuildFilter()
            filter.includesDone = true
            #expect(try await service.ids("testmodule:master", filter: filter).first == "testmodule:master:20180606000000:c2c572ec")
            #expect(server.requests.count == 2)
            #expect(server.requests.allSatisfy { $0.uri.contains("&state=3&state=5&") })
        }
    }

    @Test("builds are all read where the service orders versions as texts")
    func disorder() async throws {
        var limits = ModuleBuildBench.limits
        limits.pageSize = 2
        let builds = try [9, 11, 10, 1].enumerated().map { try ModuleBuildReplay.build("m:1:\($1):a", number: $0 + 1) }
        let found = try await PulpHTTPServer.with({ request in
            let page = Int(request.query["page"] ?? "") ?? 1
            return .json("{\"items\": [\(builds.dropFirst(page * 2 - 2).prefix(2).joined(separator: ","))], \"meta\": {\"total\": 4}}")
        }) { server in
            try await ModuleBuildBench.with(server.address, limits: limits) { try await $0.ids("m:1") }
        }
        #expect(Set(found) == ["m:1:9:a", "m:1:11:a", "m:1:10:a", "m:1:1:a"])
    }

    @Test("streams and names of modules are those of the newest builds")
    func names() async throws {
        try await ModuleBuildBench.with(ModuleBuildReplay()) { (service, _) async throws in
            #expect(try await service.streams(of: "testmodule", filter: ModuleBuildFilter()) == ["master", "next-gen"])
            #expect(try await service.streams(of: "testmodule-devel", filter: ModuleBuildFilter()) == ["master", "next-gen"])
            #expect(try await service.streams(of: "nosuch", filter: ModuleBuildFilter()) == [])
            #expect(try await service.modules() == ["depmodule", "platform", "testmodule"])
        }
        var limits = ModuleBuildBench.limits
        limits.listSize = 2
        limits.listedBuilds = 3
        try await ModuleBuildBench.with(ModuleBuildReplay(), limits: limits) { (service, server) async throws in
            #expect(try await service.modules() == ["depmodule", "testmodule"])
            #expect(server.requests.count == 2)
        }
    }

    @Test("NAME-devel is what is known of NAME, and depends on it")
    func devel() async throws {
        let replay = ModuleBuildReplay(
            hasRecorded: false,
            additional: [
                try ModuleBuildReplay.build("m:1:5:a", number: 1, requires: "platform: [f26], lib: [\"5\"]"),
                try ModuleBuildReplay.build("other-devel:1:5:a", number: 2),
            ])
        try await ModuleBuildBench.with(replay) { (service, _) async throws in
            let reference = try #require(ModuleReference("m-devel:1"))
            let build = try #require(try await service.builds(of: reference, filter: ModuleBuildFilter()).first)
            #expect(build.id.description == "m-devel:1:5:a")
            #expect(build.kojiTag == "module-m-1-5-a")
            #expect(build.stream.requirements.map { Set($0.map(\.description)) } == [["platform:f26", "lib:5", "m:1"]])
            // The document says so, too.
            let read = try ModuleMetadata(yaml: build.stream.document)
            #expect(read.streams == [build.stream])
            #expect(try await service.ids("other-devel:1") == ["other-devel:1:5:a"])
            #expect(try await service.ids("nosuch-devel:1") == [])
        }
    }

    @Test("the documents of the first modules name no context")
    func firstDocuments() async throws {
        let document = """
            ---
            document: modulemd
            version: 1
            data:
              name: old
              stream: f26
              version: 5
              summary: A module
              description: A module.
              license: {module: [MIT]}
              dependencies:
                requires: {platform: f26}
            ...

            """
        let replay = ModuleBuildReplay(
            hasRecorded: false, additional: [try ModuleBuildReplay.build("old:f26:5:00000000", number: 1, document: document)])
        try await ModuleBuildBench.with(replay) { (service, _) async throws in
            let reference = try #require(ModuleReference("old:f26"))
            let stream = try #require(try await service.builds(of: reference, filter: ModuleBuildFilter()).first?.stream)
            #expect(stream.id.description == "old:f26:5:00000000")
            #expect(try ModuleMetadata(yaml: stream.document).streams == [stream])
        }
    }
}
