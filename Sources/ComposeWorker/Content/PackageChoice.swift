import ComposeModel
import Compression
import Depsolve
import Repodata

/// A package choice is the packages that a request resolved to, each as an actual file, and the
/// repositories that have them.
struct PackageChoice: Sendable {
    let resolution: Resolution
    let content: PackageSet
    let modules: ComposedModules
    /// Documents about all packages of the source. The compose gets these documents too.
    let kept: [KeptDocument]
    /// The key of the ``ComposedPackages``. If a result has an equal key, nothing new needs to be written.
    let key: String

    private let refers: Bool

    init(_ resolution: Resolution, from content: PackageSet, for request: ComposeRequest) throws {
        func files(_ packages: [ResolvedPackage]) -> [ComposedPackages.File] {
            packages.map {
                .init(nevra: $0.record.nevra.description, checksum: $0.record.pkgid.description, location: $0.record.location)
            }
        }
        self.resolution = resolution
        self.content = content
        var repositories = [TreeLayout.source: files(resolution.sources)]
        for tree in resolution.trees {
            repositories[TreeLayout.path(.os, tree.arch)] = files(tree.binaries)
            repositories[TreeLayout.path(.debug, tree.arch)] = files(tree.debug)
        }
        modules = try ComposedModules(of: resolution, from: content.modules, for: request)
        kept = KeptDocument.all(of: content, for: request)
        refers = request.delivery == .reference
        key = try ComposedPackages(
            request, repositories: repositories, modules: modules.documents,
            documents: Dictionary(kept.map { ($0.record.type, $0.record.checksum.description) }, uniquingKeysWith: { first, _ in first })
        ).key()
    }

    /// Sentences about points in which the compose differs from the request.
    var findings: [String] {
        content.notes + modules.notes + (refers ? [Self.noZypper] : []) + resolution.findings(in: content)
    }

    private static let noZypper =
        "zypper cannot install from this compose: its packages stay at their addresses (xml:base), which dnf reads and zypper does not."
}
