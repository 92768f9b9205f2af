import Foundation
import Hummingbird
import Koji
import ScriptedHub
import Synchronization
import SystemPackage

/// A ``ModularWorld`` as a Koji and a Module Build Service have it.
final class ModularKoji: Sendable {
    /// The tag that all builds of modules are in, as they are tagged for a release.
    static let tag = "f26-modular"
    static let event = 100

    private let state: Mutex<ModularWorld>
    /// The questions that the Module Build Service was asked, as they arrived.
    private let asked = Mutex<[String]>([])
    /// Bytes of the packages' files.
    private let sizes = Mutex<[String: Int]>([:])

    init(_ world: ModularWorld) { state = Mutex(world) }

    var world: ModularWorld {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    var questions: [String] { asked.withLock { $0 } }

    // MARK: Files

    /// Writes Koji's tree of files in the new directory `topdir`.
    func writeFiles(in topdir: FilePath) async throws {
        try await world.writePackages(in: topdir, path: Self.path)
        let attributes = try world.packages.map { package in
            (package.nvra, try FileManager.default.attributesOfItem(atPath: topdir.appending(Self.path(of: package)).string))
        }
        sizes.withLock { sizes in
            for (nvra, attributes) in attributes { sizes[nvra] = attributes[.size] as? Int }
        }
        for module in world.modules where !module.isScratch { try Self.writeDocuments(of: module, in: topdir) }
    }

    private static func path(of package: ModularWorld.Package) -> String {
        "packages/\(package.name)/\(package.version)/\(package.release)/\(package.arch)/\(package.nvra).rpm"
    }

    static func directory(of module: ModularWorld.Module, in topdir: FilePath) -> FilePath {
        topdir.appending("packages/\(module.build.name)/\(module.build.version)/\(module.build.release)/files/module")
    }

    private static func writeDocuments(of module: ModularWorld.Module, in topdir: FilePath) throws {
        let directory = directory(of: module, in: topdir)
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        for arch in ["x86_64", "aarch64"] {
            try Data(module.document(arch: arch).utf8).write(
                to: URL(filePath: directory.appending("modulemd.\(arch).txt").string))
        }
        try Data(module.document(arch: nil).utf8).write(to: URL(filePath: directory.appending("modulemd.txt").string))
    }

    // MARK: The hub

    /// How the hub answers `call`.
    func behaviour(_ call: XMLRPCCall) -> ScriptedHub.Behaviour {
        guard call.method == "multiCall" else { return .reply(.value(answer(call))) }
        let calls = call.arguments.first?.array ?? []
        return .reply(.value(.array(calls.map { [answer(XMLRPCCall(part: $0))] })))
    }

    private func answer(_ call: XMLRPCCall) -> XMLRPCValue {
        let first = call.arguments.first
        func keyword(_ name: String) -> XMLRPCValue? { call.keywords.last { $0.name == name }?.value }
        switch call.method {
        case "getLastEvent": return ["id": .int(Self.event), "ts": .double(1_795_247_700)]
        case "getTag": return first.flatMap(tag) ?? .null
        case "getFullInheritance", "queryRPMSigs": return []
        case "tagChangedSinceEvent": return false
        case "listTagged":
            let package = keyword("package")?.string
            return .array(moduleBuilds.filter { first == .string(Self.tag) && (package ?? $0.name) == $0.name }.map(\.value))
        case "listTaggedRPMS":
            let builds = self.builds.filter { $0.tags.contains(first?.string ?? "") }
            let arches = keyword("arch")?.array
            return [
                .array(builds.map(\.rpm).filter { rpm in arches?.contains(rpm["arch"] ?? .null) ?? true }), .array(builds.map(\.value)),
            ]
        case "getBuild": return moduleBuilds.first { first == .string($0.nvr) || first == .int($0.id) }?.value ?? .null
        case "getBuildType":
            return moduleBuilds.first { first == .string($0.nvr) || first == .int($0.id) }.map { ["module": $0.extra] } ?? [:]
        case "search":
            let glob = first?.string ?? ""
            return .array(
                moduleBuilds.filter { fnmatch(glob, $0.nvr, 0) == 0 }.map { ["id": .int($0.id), "name": .string($0.nvr)] })
        default: return .null
        }
    }

    private struct Build {
        let id: Int
        let name, version, release: String
        var tags: [String] = []
        var extra: XMLRPCValue = .null
        var arch = ""
        var size = 0

        var nvr: String { "\(name)-\(version)-\(release)" }
        var value: XMLRPCValue {
            [
                "build_id": .int(id), "id": .int(id), "name": .string(name), "version": .string(version), "release": .string(release),
                "epoch": nil, "nvr": .string(nvr), "state": 1, "volume_name": "DEFAULT", "package_id": .int(id), "owner_name": "mbs",
                "task_id": nil, "tag_id": 1, "tag_name": .string(tags.first ?? ModularKoji.tag), "create_event": 90,
                "creation_event_id": 89, "draft": false, "extra": ["typeinfo": ["module": extra]],
            ]
        }
        var rpm: XMLRPCValue {
            [
                "id": .int(id), "build_id": .int(id), "name": .string(name), "version": .string(version), "release": .string(release),
                "epoch": nil, "arch": .string(arch), "external_repo_id": 0, "metadata_only": false, "size": .int(size),
            ]
        }
    }

    private var moduleBuilds: [Build] {
        world.modules.enumerated().filter { !$0.element.isScratch }.map { index, module in
            let extra: XMLRPCValue = [
                "name": .string(module.name), "stream": .string(module.stream), "version": .string("\(module.version)"),
                "context": .string(module.context), "content_koji_tag": .string(module.kojiTag),
                "modulemd_str": .string(module.document(arch: nil)), "module_build_service_id": .int(index + 1),
            ]
            let build = module.build
            return Build(
                id: 1000 + index, name: build.name, version: build.version, release: build.release, tags: [Self.tag], extra: extra)
        }
    }

    /// One for each package; packages of modules are in the module's tag, the others in `f26`.
    private var builds: [Build] {
        let world = world
        let modular = world.modules.flatMap { module in (module.packages + module.filtered).map { ($0, module.kojiTag) } }
        let sizes = sizes.withLock { $0 }
        return (modular + world.others.map { ($0, "f26") }).enumerated().map { index, member in
            Build(
                id: 1 + index, name: member.0.name, version: member.0.version, release: member.0.release, tags: [member.1],
                arch: member.0.arch, size: sizes[member.0.nvra] ?? 0)
        }
    }

    private func tag(_ asked: XMLRPCValue) -> XMLRPCValue? {
        let names = ["f26", Self.tag] + world.modules.map(\.kojiTag)
        return names.indices.first { asked == .string(names[$0]) || asked == .int($0 + 1) }.map {
            ["id": .int($0 + 1), "name": .string(names[$0]), "arches": "x86_64 aarch64", "locked": false]
        }
    }

    // MARK: The Module Build Service

    /// Answers `GET /1/module-builds/` as the service does, a page of two builds at a time.
    var moduleBuildService: Router<BasicRequestContext> {
        let router = Router()
        router.get("/module-build-service/1/module-builds") { request, _ in
            let query = request.uri.queryParameters
            self.asked.withLock { $0.append(request.uri.query ?? "") }
            let states = query.getAll("state").compactMap { Int($0) }
            let wanted = query["nsvc"].map { $0.split(separator: ":").map(String.init) } ?? query["name"].map { [String($0)] } ?? []
            let scratch = query["scratch"].map { $0.lowercased() == "true" }
            let found = self.world.modules.enumerated().filter { _, module in
                (scratch ?? module.isScratch) == module.isScratch && (states.isEmpty || states.contains(module.state))
                    && zip(wanted, [module.name, module.stream, "\(module.version)", module.context]).allSatisfy { $0 == $1 }
            }.sorted { $0.element.version > $1.element.version }
            let (size, page) = (min(query["per_page"].flatMap { Int($0) } ?? 10, 2), query["page"].flatMap { Int($0) } ?? 1)
            let items = found.dropFirst((page - 1) * size).prefix(size).map { Self.item($0.offset + 1, $0.element) }
            let answer: [String: Any] = [
                "items": items,
                "meta": ["page": page, "pages": (found.count + size - 1) / size, "per_page": size, "total": found.count],
            ]
            let body = try JSONSerialization.data(withJSONObject: answer)
            return Response(
                status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: ByteBuffer(bytes: Array(body))))
        }
        router.get("/module-build-service/1/final-modulemd/{id}") { _, context in
            let module = self.world.modules[try context.parameters.require("id", as: Int.self) - 1]
            let documents = ["x86_64": module.document(arch: "x86_64"), "aarch64": module.document(arch: "aarch64")]
            let body = try JSONEncoder().encode(documents)
            return Response(
                status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: ByteBuffer(bytes: Array(body))))
        }
        return router
    }

    private static func item(_ number: Int, _ module: ModularWorld.Module) -> [String: Any] {
        [
            "id": number, "name": module.name, "stream": module.stream, "version": "\(module.version)", "context": module.context,
            "state": module.state, "state_name": module.state == 5 ? "ready" : "done", "koji_tag": module.kojiTag,
            "scratch": module.isScratch,
            "modulemd": module.document(arch: nil),
            "base_module_buildrequires": [
                ["name": "platform", "stream": "f26", "stream_version": 260000.0, "version": "1", "context": "00000000"]
            ],
        ]
    }
}
