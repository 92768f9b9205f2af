import Depsolve
import Foundation
import Repodata
import Testing

/// A folder below `Worlds`: packages that there are, a request, and what is expected of it.
///
/// - `world.repo` and, where there is a second one, `second.repo` are the repositories; `lookaside.repo` is the lookaside.
///   ``WorldPackage`` says how they are written.
/// - `request` has lines of a keyword and words: `packages`, `arches` (default x86_64), `multilib` (architectures and methods),
///   `no_deps`, `check`.
/// - `expected` is the resolution as ``rendered(_:)`` writes it.
struct World: CustomTestStringConvertible, Sendable {
    let folder: URL

    var testDescription: String { folder.lastPathComponent }

    static let all: [World] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Worlds")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return names.sorted().map { World(folder: root.appending(path: $0)) }
    }()

    static func named(_ name: String) -> World { all.first { $0.testDescription == name }! }

    func text(_ name: String) throws -> String { try String(contentsOf: folder.appending(path: name), encoding: .utf8) }

    private func repository(_ name: String, below directory: URL) throws -> RepositoryMetadata? {
        guard FileManager.default.fileExists(atPath: folder.appending(path: "\(name).repo").path) else { return nil }
        return try WorldRepository(packages: WorldPackage.parse(text("\(name).repo")), name: name)
            .write(to: directory.appending(path: "\(name)/repodata"))
    }

    /// Writes the repositories below `directory`, each as a folder that dnf can use, too.
    func request(below directory: URL) throws -> DepsolveRequest {
        var request = DepsolveRequest(
            repositories: try ["world", "second"].compactMap { try repository($0, below: directory) },
            lookaside: try ["lookaside"].compactMap { try repository($0, below: directory) },
            arches: ["x86_64"])
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
            default: throw WorldError(line: String(line))
            }
        }
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
        sections.append(("absent", resolution.absent.map { ($0.isNowhere ? "everywhere: " : "") + $0.description }))
        sections.append(("missing", resolution.missing.map { "\($0.arch): \($0)" }))
        sections.append(("problems", resolution.problems.map { "\($0.arch): \($0)" }))
        return sections.filter { !$0.1.isEmpty }.map { "\($0)\n" + $1.map { "    \($0)\n" }.joined() }.joined()
    }
}
