import ComposeModel
import ContentSources
import Foundation
import Koji
import Logging
import Modules
import Repodata
import ScriptedHub
import Synchronization
import SystemPackage

/// A Koji with modules: the recorded one, with a copy of its module's files that may be changed, and what a test adds.
struct ModuleWorld: Sendable {
    /// How its files are read.
    enum Files: CaseIterable, Sendable {
        case topdir, topurl
    }

    static let event = 100

    let scripted: ScriptedHub
    let hub: KojiHub
    let source: KojiSource
    var topdir: FilePath { scripted.topdir }
    /// What tags have, by their names: packages with their builds' numbers, and builds.
    private let tagged = Tagged()

    private final class Tagged: Sendable {
        let content: Mutex<[String: (rpms: [XMLRPCValue], builds: [XMLRPCValue])]> = Mutex([:])
    }

    static func with(_ files: Files = .topdir, _ body: (ModuleWorld) async throws -> Void) async throws {
        try await Workbench.with { bench in
            let tree = bench.sources.appending("topdir")
            try FileManager.default.createDirectory(atPath: tree.appending("packages").string, withIntermediateDirectories: true)
            for name in ["packages/testmodule", "packages/modpkg"] {
                try FileManager.default.copyItem(atPath: ScriptedHub.topdir.appending(name).string, toPath: tree.appending(name).string)
            }
            try await ScriptedHub.with(topdir: tree) { scripted in
                let hub = try KojiHub(
                    try scripted.profile(), limits: KojiLimits(attempts: 2, firstPause: .milliseconds(1)), logger: Workbench.logger)
                let location: RepositoryLocation = files == .topdir ? .directory(tree) : try RepositoryLocation(scripted.topurl)
                let source = KojiSource(
                    hub: hub, files: try bench.koji(location, prefixes: [scripted.topurl]), isRemote: files == .topurl,
                    logger: Workbench.logger)
                let world = ModuleWorld(scripted: scripted, hub: hub, source: source)
                scripted.behave { call, _ in world.behaviour(call) }
                let outcome: Result<Void, any Error>
                do { outcome = .success(try await body(world)) } catch { outcome = .failure(error) }
                try await hub.shutdown()
                try outcome.get()
            }
        }
    }

    private func behaviour(_ call: XMLRPCCall) -> ScriptedHub.Behaviour {
        guard call.method == "listTaggedRPMS", let tag = call.arguments.first?.string,
            let content = tagged.content.withLock({ $0[tag] })
        else { return .answer }
        let arches = call.keywords.last { $0.name == "arch" }?.value.array ?? []
        return .reply(.value([.array(content.rpms.filter { $0["arch"].map(arches.contains) ?? false }), .array(content.builds)]))
    }

    // MARK: What is in it

    /// As of the event of all questions.
    func addTag(_ name: String, id: Int) {
        scripted.answer(
            XMLRPCCall("getTag", .string(name), keywords: [.init("event", .int(Self.event))]),
            with: .value(["id": .int(id), "name": .string(name), "arches": "", "locked": false]))
    }

    /// A complete build of a module; its description is `modulemd`.
    func addBuild(
        _ module: NSVC, id: Int, tag: String? = "module-content", modulemd: String? = nil, state: Int = 1, volume: String = "DEFAULT"
    ) {
        let build = Self.build(module.kojiBuild, id: id, state: state, volume: volume)
        scripted.answer(XMLRPCCall("getBuild", .string(module.kojiBuild)), with: .value(build))
        scripted.answer(XMLRPCCall("getBuild", .int(id)), with: .value(build))
        let described: XMLRPCValue = [
            "name": .string(module.name), "stream": .string(module.stream), "version": .string("\(module.version)"),
            "context": .string(module.context), "content_koji_tag": .string(tag ?? ""),
            "modulemd_str": .string(modulemd ?? Self.document(module)),
        ]
        for name in [XMLRPCValue.int(id), .string(module.kojiBuild)] {
            scripted.answer(XMLRPCCall("getBuildType", name), with: .value(["module": described]))
        }
    }

    /// Says that there is no build of that name.
    func removeBuild(_ nvr: String) { scripted.answer(XMLRPCCall("getBuild", .string(nvr)), with: .value(nil)) }

    static func build(_ nvr: String, id: Int, state: Int = 1, volume: String = "DEFAULT", tag: (id: Int, name: String)? = nil)
        -> XMLRPCValue
    {
        let parts = nvr.split(separator: "-").map(String.init)
        return [
            "build_id": .int(id), "nvr": .string(nvr), "name": .string(parts.dropLast(2).joined(separator: "-")),
            "version": .string(parts[parts.count - 2]), "release": .string(parts[parts.count - 1]), "state": .int(state),
            "volume_name": .string(volume), "tag_id": tag.map { .int($0.id) } ?? .null, "tag_name": tag.map { .string($0.name) } ?? .null,
        ]
    }

    /// The modules that a tag lists, and its parents.
    func addTag(_ name: String, id: Int, parents: [Int] = [], modules: [(module: NSVC, id: Int, tag: Int)]) {
        addTag(name, id: id)
        let event = XMLRPCCall.Keyword("event", .int(Self.event))
        scripted.answer(
            XMLRPCCall("getFullInheritance", .string(name), keywords: [event]),
            with: .value(.array(parents.map { ["parent_id": .int($0), "name": "a parent"] })))
        scripted.answer(
            XMLRPCCall("listTagged", .string(name), keywords: [event, .init("inherit", true), .init("type", "module")]),
            with: .value(.array(modules.map { Self.build($0.module.kojiBuild, id: $0.id, tag: ($0.tag, "tag \($0.tag)")) })))
    }

    /// Adds the packages of one build to what a tag has, given as artifacts are: `name-epoch:version-release.arch`.
    func addPackages(_ packages: [String], of nvr: String, id: Int, to tag: String) {
        let rpms = packages.compactMap { NEVRA($0) }.enumerated().map { number, nevra -> XMLRPCValue in
            [
                "id": .int(1000 * id + number), "build_id": .int(id), "name": .string(nevra.name), "version": .string(nevra.version),
                "release": .string(nevra.release), "epoch": .int(nevra.epoch), "arch": .string(nevra.arch), "size": 1,
            ]
        }
        tagged.content.withLock { content in
            content[tag, default: ([], [])].rpms += rpms
            content[tag]?.builds.append(Self.build(nvr, id: id))
        }
    }

    /// Puts a document among the files of a build.
    func write(_ text: String, as file: String, of module: NSVC, volume: String? = nil) throws {
        let parts = module.kojiBuild.split(separator: "-")
        let place = "\(parts.dropLast(2).joined(separator: "-"))/\(parts[parts.count - 2])/\(parts[parts.count - 1])/files/module"
        let directory = topdir.appending(volume.map { "vol/\($0)/packages" } ?? "packages").appending(place)
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        try directory.appending(file).write(text)
    }

    /// A modulemd document.
    static func document(_ module: NSVC, arch: String? = nil, artifacts: [String] = [], filters: [String] = []) -> String {
        let list = { (name: String, items: [String]) in
            items.isEmpty ? "" : "  \(name):\n    rpms:\n" + items.map { "    - \($0)\n" }.joined()
        }
        return """
            ---
            document: modulemd
            version: 2
            data:
              name: \(module.name)
              stream: "\(module.stream)"
              version: \(module.version)
              context: \(module.context)
            \(arch.map { "  arch: \($0)\n" } ?? "")  summary: A module
              description: A module for tests.
              license:
                module:
                - MIT
            \(list("filter", filters))\(list("artifacts", artifacts))...

            """
    }
}

extension NSVC {
    /// For tests: what is written is one.
    static func of(_ text: String) -> NSVC { NSVC(text) ?? NSVC(name: "wrong", stream: text, version: 0, context: "") }
}
