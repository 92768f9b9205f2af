import Depsolve
import Foundation
import Modules
import Repodata
import Testing

/// A case of the solver: the packages that exist, a request, and the expected resolution.
///
/// Each file below `Worlds` is one, such as `chain.world`. A line with a name in brackets begins a section:
///
/// - `[world.repo]` and perhaps `[second.repo]` are the repositories. `[lookaside.repo]` is the lookaside. ``WorldPackage`` describes their syntax.
/// - `[world.modules]` and `[lookaside.modules]` are their modules, in the syntax of ``WorldModules``.
/// - `[request]` has lines of a keyword and words: `packages`, `arches` (default x86_64), `multilib` (architectures and methods),
///   `no_deps`, `check`, and for modules `enable`, `include` (builds), `alone`.
/// - `[expected]` is the resolution as ``rendered(_:)`` writes it.
struct World: CustomTestStringConvertible, Sendable {
    let testDescription: String
    private let sections: [String: String]

    static let all: [World] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Worlds")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return names.filter { $0.hasSuffix(".world") }.sorted().compactMap { name in
            let text = try? String(contentsOf: root.appending(path: name), encoding: .utf8)
            return text.map { World(name: String(name.dropLast(6)), text: $0) }
        }
    }()

    static func named(_ name: String) -> World { all.first { $0.testDescription == name }! }

    private init(name: String, text: String) {
        testDescription = name
        var sections: [String: String] = [:]
        var section = ""
        for line in text.split(separator: "\n") {
            if let title = line.wholeMatch(of: /\[(.+)\]/) {
                section = String(title.1)
                sections[section] = ""
            } else {
                sections[section, default: ""] += "\(line)\n"
            }
        }
        self.sections = sections
    }

    /// The text of the section `name`.
    func text(_ name: String) throws -> String { try #require(sections[name], "\(testDescription) has no [\(name)]") }

    private func repository(_ name: String, below directory: URL) throws -> RepositoryMetadata? {
        guard has("\(name).repo") else { return nil }
        return try WorldRepository(packages: WorldPackage.parse(text("\(name).repo")), name: name, modules: modules(name))
            .write(to: directory.appending(path: "\(name)/repodata"))
    }

    var isModular: Bool { has("world.modules") || has("lookaside.modules") }

    func has(_ section: String) -> Bool { sections[section] != nil }

    /// The documents of a repository's modules in YAML; empty where it has none.
    func modules(_ name: String) throws -> String { has("\(name).modules") ? try WorldModules(text("\(name).modules")).yaml : "" }

    /// Writes the repositories below `directory`, each as a folder that dnf can use, too.
    func request(below directory: URL) throws -> DepsolveRequest {
        var request = DepsolveRequest(
            repositories: try ["world", "second"].compactMap { try repository($0, below: directory) },
            lookaside: try ["lookaside"].compactMap { try repository($0, below: directory) },
            arches: ["x86_64"])
        var modules = ModularContent(
            metadata: try ModuleMetadata(yaml: modules("world")), lookaside: try ModuleMetadata(yaml: modules("lookaside")))
        for line in try text("request").split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            switch words[0] {
            case "packages": request.packages += words.dropFirst()
            case "arches": request.arches = Array(words.dropFirst())
            case "multilib":
                let methods: [String: MultilibMethod] = ["runtime": .runtime, "devel": .devel, "all": .all]
                for word in words.dropFirst() {
                    if let method = methods[word] { request.multilibMethod.insert(method) } else { request.multilibArches.append(word) }
                }
            case "no_deps": request.noDeps = true
            case "check": request.checkInstallability = true
            case "enable": modules.enabled += words.dropFirst().compactMap { ModuleReference($0) }
            case "include": modules.included.formUnion(words.dropFirst().compactMap { NSVC($0) })
            case "alone": modules.isAlone = true
            default: throw WorldError(line: String(line))
            }
        }
        request.modules = modules
        return request
    }

    /// A resolution as a text to read and compare: a section for each tree and each kind of finding that there is.
    static func rendered(_ resolution: Resolution) -> String {
        var sections: [(String, [String])] = []
        func packages(_ packages: [ResolvedPackage]) -> [String] { packages.map { "\($0.record.nevra): \($0.reason)" } }
        for tree in resolution.trees {
            sections.append((tree.arch, packages(tree.binaries)))
            sections.append(("\(tree.arch) debug", packages(tree.debug)))
        }
        sections.append(("source", packages(resolution.sources)))
        sections.append(("modules", resolution.modules.map(\.description)))
        sections.append(("module problems", resolution.moduleProblems.map { "\($0.arch): \($0)" }))
        sections.append(("absent", resolution.absent.map { ($0.isNowhere ? "everywhere: " : "") + $0.description }))
        sections.append(("missing", resolution.missing.map { "\($0.arch): \($0)" }))
        sections.append(("overruled", resolution.overruled.map(\.description)))
        sections.append(("problems", resolution.problems.map { "\($0.arch): \($0)" }))
        return sections.filter { !$0.1.isEmpty }.map { "\($0)\n" + $1.map { "    \($0)\n" }.joined() }.joined()
    }
}
