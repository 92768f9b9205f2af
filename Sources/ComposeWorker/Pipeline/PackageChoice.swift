import ComposeModel
import Depsolve
import Repodata

/// The packages that a request came to, each as the file that it is, and the repositories that have them.
struct PackageChoice: Sendable {
    let resolution: Resolution
    let content: PackageSet
    let modules: ComposedModules
    /// Documents about all packages of the source, which the compose is to have too.
    let kept: [KeptDocument]
    /// That of the ``ComposedPackages``: an equal one means that there is nothing new to write.
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
        var repositories = ["source": files(resolution.sources)]
        for tree in resolution.trees {
            repositories["\(tree.arch)/os"] = files(tree.binaries)
            repositories["\(tree.arch)/debug"] = files(tree.debug)
        }
        modules = try ComposedModules(of: resolution, from: content.modules, for: request)
        kept = KeptDocument.all(of: content, for: request)
        refers = request.delivery == .reference
        key = try ComposedPackages(
            request, repositories: repositories, modules: modules.documents,
            documents: Dictionary(kept.map { ($0.record.type, $0.record.checksum.description) }, uniquingKeysWith: { first, _ in first })
        ).key()
    }

    /// What is not as the request would have it. Sentences.
    var findings: [String] {
        content.notes + modules.notes + (refers ? [Self.noZypper] : []) + resolution.findings(in: content)
    }

    private static let noZypper =
        "zypper cannot install from this compose: its packages stay at their addresses (xml:base), which dnf reads and zypper does not."
}
