import AsyncHTTPClient
import ComposeModel
import Foundation
import Hummingbird
import NIOHTTP1
import ScriptedHub
import ScriptedService
import SystemPackage
import Testing

/// Composes of modules, from Koji and a Module Build Service, from tags of Koji, and from repositories with modules.
@Suite(.timeLimit(.minutes(5))) struct ModuleComposeTests {
    /// A service beside a Koji that has `world`.
    private func with(
        _ world: ModularWorld = .kitchen, more: String = "",
        _ body: @escaping @Sendable (KojiService, ModularKoji) async throws -> Void
    ) async throws {
        let topdir = try TemporaryDirectory()
        defer { topdir.remove() }
        let koji = ModularKoji(world)
        try await koji.writeFiles(in: topdir.path)
        try await withLocalServer(koji.moduleBuildService) { origin in
            try await ScriptedHub.with(topdir: topdir.path) { hub in
                hub.behave { call, _ in koji.behaviour(call) }
                let settings = """
                    koji: {hub: "\(hub.address)", topdir: "\(topdir.path)"}
                    mbs: {url: "\(origin)/module-build-service"}
                    worker: {attempts: 1, slots: 4}
                    \(more)
                    """
                try await TestService.running(more: settings) { service, server in
                    try await body(KojiService(service: service, server: server, hub: hub), koji)
                }
            }
        }
    }

    /// A service that reads modules from a repository that has `world`.
    private func withRepository(
        _ world: ModularWorld = .kitchen, _ body: @escaping @Sendable (TestService, ServerProcess, FilePath) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let repository = directory.path.appending("kitchen")
        try await world.writeRepository(in: repository)
        let settings = "modules: {repositories: [\"\(repository)\"]}\nworker: {attempts: 1, slots: 4}"
        try await TestService.running(roots: [directory.path], more: settings) { service, server in
            try await body(service, server, repository)
        }
    }

    private static let older = "flipper:1:20180101000000:c2c572ec"
    private static let newer = "flipper:2:20180405123256:c2c572ec"
    private static let tongs = "tongs:2:20180405123256:c2c572ec"

    @Test("a module comes with all that it depends on, without what it filters out, and its source becomes complete names")
    func moduleBuildService() async throws {
        try await with { koji, world in
            let compose = try await koji.compose("\"type\": \"module\", \"source\": \"flipper:2\"")
            #expect(compose.state == "done", "\(compose.reason)")
            #expect(compose.document.source == "\(Self.newer) \(Self.tongs)")
            #expect(
                try compose.packages() == [
                    "flipper-2.0-1.x86_64", "flipper-doc-2.0-1.noarch", "handle-1.0-1.x86_64", "tongs-2.1-1.x86_64",
                    "tongs-libs-2.1-1.x86_64",
                ])
            let log = try compose.text("pungi-stderr.log")
            #expect(log.contains("The module \(Self.newer) is part of it: it was asked for."))
            #expect(log.contains("The module \(Self.tongs) is part of it: flipper:2 needs tongs:2."))
            let lock = try compose.text("compose.lock.json")
            #expect(lock.contains("required by flipper:2, which was requested"))
            #expect(!lock.contains(koji.hub.topdir.string))
        }
    }

    @Test("dnf lists, describes, enables and installs a module, its dependency and an older stream of it from the compose alone")
    func dnf() async throws {
        try await with { koji, _ in
            let compose = try await koji.compose("\"type\": \"module\", \"source\": \"flipper:2 flipper:1\"")
            #expect(compose.state == "done", "\(compose.reason)")
            #expect(compose.document.source == "\(Self.older) \(Self.newer) \(Self.tongs)")
            for (stream, expected) in [
                ("flipper:1", ["flipper-1.4-1.x86_64"]),
                ("flipper:2", ["flipper-2.0-1.x86_64", "handle-1.0-1.x86_64", "tongs-libs-2.1-1.x86_64"]),
                ("tongs:2", ["handle-1.0-1.x86_64", "tongs-2.1-1.x86_64", "tongs-libs-2.1-1.x86_64"]),
            ] {
                try await Dnf.with { dnf in
                    try await dnf.add(compose, by: koji.server)
                    let list = try await dnf.modules("list")
                    #expect(list.isSuccess && list.output.contains("flipper") && list.output.contains("tongs"), "\(list)")
                    let info = try await dnf.modules("info", stream)
                    #expect(info.isSuccess && info.output.contains("A module for tests."), "\(info)")
                    // The command itself wants to be root.
                    guard geteuid() == 0 else { return }
                    let install = try await dnf.modules("install", "\(stream)/default")
                    #expect(install.isSuccess, "\(install)")
                    #expect(try await dnf.installed() == expected)
                }
            }
        }
    }

    @Test("modules.yaml has exactly the streams inside, libmodulemd's validator accepts it, and productmd's file tells of them")
    func documents() async throws {
        try await with { koji, _ in
            let compose = try await koji.compose("\"type\": \"module\", \"source\": \"flipper:1\"")
            #expect(compose.state == "done", "\(compose.reason)")
            let yaml = try await compose.modules()
            let file = koji.service.directory.appending("modules.yaml")
            try Data(yaml.utf8).write(to: URL(filePath: file.string))
            let validated = try await Program.run(["modulemd-validator", file.string])
            #expect(validated.isSuccess, "\(validated)")
            #expect(yaml.contains("name: flipper") && !yaml.contains("tongs") && yaml.contains("- flipper-0:1.4-1.x86_64"))
            let json = try #require(
                try JSONSerialization.jsonObject(with: Data(compose.text("compose/metadata/modules.json").utf8)) as? [String: Any])
            let payload = try #require((json["payload"] as? [String: Any])?["modules"] as? [String: [String: [String: [String: Any]]]])
            let module = try #require(payload["Temporary"]?["x86_64"]?[Self.older])
            #expect((module["metadata"] as? [String: Any])?["koji_tag"] as? String == "module-flipper-1-20180101000000-c2c572ec")
            #expect(module["rpms"] as? [String] == ["flipper-0:1.4-1.x86_64"])
            #expect(try !compose.text("compose/Temporary/odcs-\(compose.document.id).repo").contains("module_hotfixes"))
        }
    }

    @Test("module_hotfixes is in the .repo file when it is asked for")
    func hotfixes() async throws {
        try await with { koji, _ in
            let id = try await koji.submit("\"type\": \"module\", \"source\": \"flipper:1\"", "\"module_hotfixes\": true")
            let compose = try await koji.end(of: id)
            #expect(compose.document.moduleHotfixes == true)
            #expect(try compose.text("compose/Temporary/odcs-\(id).repo").contains("module_hotfixes=1\n"))
        }
    }

    @Test("without what it depends on, and with builds that are only done, when that is asked for")
    func flags() async throws {
        var world = ModularWorld.kitchen
        world.modules[1].state = 3
        try await with(world) { koji, _ in
            let ready = try await koji.compose("\"type\": \"module\", \"source\": \"flipper:2\"")
            #expect(ready.state == "failed")
            #expect(ready.document.stateReason?.contains("done") == true, "\(ready.reason)")
            let done = try await koji.compose(
                "\"type\": \"module\", \"source\": \"flipper:2\"", flags: ["include_done_modules", "no_deps"])
            #expect(done.state == "done", "\(done.reason)")
            #expect(done.document.source == Self.newer)
            #expect(try done.packages() == ["flipper-2.0-1.x86_64", "flipper-doc-2.0-1.noarch"])
            let exact = try await koji.compose("\"type\": \"module\", \"source\": \"\(Self.newer)\"", flags: ["no_deps"])
            #expect(exact.state == "done", "\(exact.reason)")
        }
    }

    @Test("each architecture has its own packages and documents, and a scratch build is taken by its full name alone")
    func architecturesAndScratch() async throws {
        var world = ModularWorld.kitchen
        world.modules[0].packages.append(.init(name: "flipper", version: "1.4", arch: "aarch64", module: "flipper:1"))
        world.modules.append(
            .init(
                name: "whisk", stream: "1", context: "c2c572ec_1",
                packages: ["x86_64", "aarch64"].map { .init(name: "whisk", version: "0.1", arch: $0, module: "whisk:1") }, state: 3,
                isScratch: true))
        try await with(world) { koji, _ in
            let id = try await koji.submit(
                #""type": "module", "source": "flipper:1", "scratch_modules": ["whisk:1:20180405123256:c2c572ec_1"]"#,
                #""arches": ["x86_64", "aarch64"]"#)
            let compose = try await koji.end(of: id)
            #expect(compose.state == "done", "\(compose.reason)")
            for arch in ["x86_64", "aarch64"] {
                #expect(try compose.packages("\(arch)/os") == ["flipper-1.4-1.\(arch)", "whisk-0.1-1.\(arch)"])
                let yaml = try await compose.modules("\(arch)/os")
                #expect(yaml.contains("- whisk-0:0.1-1.\(arch)") && yaml.contains("context: c2c572ec_1"))
                #expect(yaml.matches(of: /- flipper-0:1\.4-1\./).count == 1)
            }
            let plain = try await koji.compose(#""type": "module", "source": "whisk:1""#)
            #expect(plain.state == "failed")
            #expect(plain.document.stateReason?.contains("scratch_modules") == true, "\(plain.reason)")
        }
    }

    @Test(
        "what a module needs and a lookaside lacks is told, and without a lookaside nothing is, since every machine has more than modules")
    func lookaside() async throws {
        var world = ModularWorld.kitchen
        world.modules[3].packages[0] = .init(name: "tongs", version: "2.1", requires: ["tongs-libs", "iron"], module: "tongs:2")
        try await with(world) { koji, _ in
            let alone = try await koji.compose(#""type": "module", "source": "flipper:2""#, flags: ["no_reuse"])
            #expect(alone.document.stateReason == "Done: 5 packages.", "\(alone.reason)")
            let id = try await koji.submit(
                #""type": "module", "source": "flipper:2""#, "\"lookaside_repos\": [\"\(Checkout.testsRepo)\"]")
            let beside = try await koji.end(of: id)
            #expect(
                beside.document.stateReason?.contains("Nothing provides iron, which tongs-2.1-1.x86_64 requires") == true,
                "\(beside.reason)")
            let checked = try await koji.compose(#""type": "module", "source": "flipper:2""#, flags: ["check_deps"])
            #expect(checked.document.failure?.code == .brokenDependencies)
        }
    }

    @Test("tags of Koji have modules too, and no Module Build Service is asked then")
    func modularTags() async throws {
        try await with { koji, world in
            let compose = try await koji.compose(
                "\"type\": \"module\", \"source\": \"flipper:2\", \"modular_koji_tags\": [\"\(ModularKoji.tag)\"]")
            #expect(compose.state == "done", "\(compose.reason)")
            #expect(compose.document.source == "\(Self.newer) \(Self.tongs)")
            #expect(world.questions == [])
        }
    }

    @Test("a tag takes the modules of modular tags along, and its packages are chosen as dnf would with their default streams")
    func taggedAlong() async throws {
        try await with { koji, _ in
            let compose = try await koji.compose(
                "\"type\": \"tag\", \"source\": \"f26\", \"packages\": [\"pan\"], \"modular_koji_tags\": [\"\(ModularKoji.tag)\"]")
            #expect(compose.state == "done", "\(compose.reason)")
            let packages = try compose.packages()
            #expect(packages.contains("pan-1.0-1.x86_64") && packages.contains("flipper-1.4-1.x86_64"))
            #expect(packages.contains("tongs-libs-1.9-1.x86_64") && packages.contains("tongs-libs-2.1-1.x86_64"))
            #expect(!packages.contains("spoon-1.0-1.x86_64") && !packages.contains("flipper-tests-2.0-1.x86_64"))
        }
    }

    @Test("a repository with modules gives modules without a Koji, and default streams hide packages as they do for dnf")
    func repository() async throws {
        try await withRepository { service, server, repository in
            let modules = try await server.compose(json: #"{"source": {"type": "module", "source": "flipper:2"}}"#, service)
            #expect(modules.state == "done", "\(modules.reason)")
            #expect(modules.document.source == "\(Self.newer) \(Self.tongs)")

            let pan = try await server.compose(
                json: "{\"source\": {\"type\": \"repo\", \"source\": \"\(repository)\", \"packages\": [\"pan\"]}}", service)
            #expect(pan.state == "done", "\(pan.reason)")
            #expect(try pan.packages() == ["pan-1.0-1.x86_64", "tongs-libs-1.9-1.x86_64"])
            try await Dnf.with { dnf in
                try await dnf.add(pan, by: server)
                guard geteuid() == 0 else { return }
                let install = try await dnf.run("--setopt=module_platform_id=platform:f26", "install", "pan")
                #expect(install.isSuccess, "\(install)")
            }

            let newer = try await server.compose(
                json:
                    "{\"source\": {\"type\": \"repo\", \"source\": \"\(repository)\", \"packages\": [\"pan\"], \"modules\": [\"tongs:2\"]}}",
                service)
            #expect(try newer.packages() == ["handle-1.0-1.x86_64", "pan-1.0-1.x86_64", "tongs-libs-2.1-1.x86_64"])

            let hidden = try await server.compose(
                json: "{\"source\": {\"type\": \"repo\", \"source\": \"\(repository)\", \"packages\": [\"flipper\"]}}", service)
            #expect(hidden.state == "failed")
            let owners = "flipper is part of the modules flipper:1, flipper:2"
            #expect(hidden.document.stateReason?.contains(owners) == true, "\(hidden.reason)")

            let all = try await server.compose(json: "{\"source\": {\"type\": \"repo\", \"source\": \"\(repository)\"}}", service)
            #expect(try all.packages().count == 12)
            let yaml = try await all.modules()
            #expect(yaml.contains("document: modulemd-defaults"))
        }
    }

    @Test("a module that is not there, whose documents are broken, or that depends on one that is gone, is named")
    func wrong() async throws {
        var world = ModularWorld.kitchen
        world.modules.append(.init(name: "whisk", stream: "1", requires: ["bowl": ["3"]]))
        try await with(world) { koji, kitchen in
            let absent = try await koji.compose("\"type\": \"module\", \"source\": \"flipper:3\"")
            #expect(absent.document.stateReason?.hasPrefix("There is no module flipper:3") == true, "\(absent.reason)")
            #expect(absent.document.stateReason?.contains("flipper:2") == true)
            let gone = try await koji.compose("\"type\": \"module\", \"source\": \"whisk:1\"")
            #expect(gone.document.stateReason?.contains("depends on bowl:3") == true, "\(gone.reason)")
            let file = ModularKoji.directory(of: kitchen.world.module("tongs:1"), in: koji.hub.topdir).appending("modulemd.x86_64.txt")
            try Data("---\ndocument: [\n".utf8).write(to: URL(filePath: file.string))
            let broken = try await koji.compose("\"type\": \"module\", \"source\": \"tongs:1\"")
            #expect(broken.state == "failed")
            #expect(broken.document.stateReason?.contains("tongs:1:20180405123256:c2c572ec") == true, "\(broken.reason)")
            #expect(broken.document.stateReason?.contains(koji.hub.topdir.string) == false)
            let base = try await koji.server.post(#"{"source": {"type": "module", "source": "platform:f26"}}"#)
            #expect(base.status == 400)
            let along = try await koji.server.post(
                "{\"source\": {\"type\": \"repo\", \"source\": \"\(Checkout.testsRepo)\", \"modular_koji_tags\": [\"f26-modular\"]}}")
            #expect(along.status == 400)
            #expect(
                try along.message
                    == "modular_koji_tags cannot be used with the source type repo, where it would have no effect: modules are taken along with tag, "
                    + "build and module.")
        }
    }

    @Test("a renewed compose of modules has the same builds although newer ones are there by then")
    func renewed() async throws {
        try await with { koji, world in
            let first = try await koji.compose("\"type\": \"module\", \"source\": \"tongs:1\"")
            #expect(first.state == "done", "\(first.reason)")
            var changed = world.world
            changed.modules.append(.init(name: "tongs", stream: "1", version: 20_190_101_000_000))
            world.world = changed
            let answer = try await koji.server.http(
                .PATCH, "/api/1/composes/\(first.document.id)", body: .bytes(Array(#"{"label": "RC-1.0"}"#.utf8)))
            #expect(answer.status == 200, "\(answer.text)")
            let second = try await koji.end(of: try JSONDecoder().decode(ComposeDocument.self, from: answer.body).id)
            #expect(second.state == "done", "\(second.reason)")
            #expect(second.document.source == first.document.source)
            #expect(try second.packages() == first.packages())
        }
    }
}

extension Dnf {
    /// `dnf module …` on a machine of Fedora 26.
    func modules(_ arguments: String...) async throws -> Program {
        try await run(["--setopt=module_platform_id=platform:f26", "module"] + arguments)
    }

    /// The packages in the installroot, as `ed-1.20-3.x86_64`, sorted.
    func installed() async throws -> [String] {
        let program = try await run("repoquery", "--installed", "--qf", "%{name}-%{version}-%{release}.%{arch}")
        guard program.isSuccess else { throw program }
        return program.output.split(separator: "\n").map(String.init).sorted()
    }
}

extension FinishedCompose {
    /// The documents of modules of a repository, decompressed.
    func modules(_ path: String = "x86_64/os") async throws -> String {
        let repodata = repository(path).appending("repodata")
        let names = try FileManager.default.contentsOfDirectory(atPath: repodata.string).filter { $0.contains("modules") }
        let program = try await Program.run(["zcat", repodata.appending(try #require(names.first)).string])
        guard program.isSuccess else { throw program }
        return program.output
    }
}
