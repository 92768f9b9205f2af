import ComposeModel
import Koji
import Modules
import Repodata

/// The packages in modules' tags that belong to the modules.
struct ModuleArtifacts {
    /// The packages of all modules, from all tags.
    private(set) var content = KojiContent()
    /// The modules' documents. If the documents of a module do not name packages, they get the packages of
    /// the module's tag.
    var streams: [ModuleStream] = []
    private(set) var notes: [String] = []

    /// Takes the packages of `module` from the content of its tag.
    ///
    /// Packages that the documents do not name were filtered out, or are for other architectures. Old
    /// documents do not name any package. In that case, the module has all packages that are built for the
    /// documents' architectures and not filtered out.
    /// - Parameter arches: The architectures of the packages in `tagged`.
    mutating func add(_ module: KojiPin.Module, _ documents: [ModuleStream], from tagged: KojiContent, arches: Set<String>, event: Int?) {
        let listed = tagged.listed
        let known = Dictionary(listed.map { (NEVRAKey($0.nevra), $0) }, uniquingKeysWith: { first, _ in first })
        var kept: Set<Int> = []
        var missing: Set<NEVRA> = []
        let namesPackages = documents.contains { !$0.artifacts.isEmpty }
        for document in documents {
            // A -devel module has the packages that the other module filters out. See ModuleStream.packages.
            let isDevel = document.id.name.hasSuffix("-devel")
            var artifacts: Set<NEVRA> = []
            if namesPackages {
                for artifact in document.artifacts {
                    if let rpm = known[NEVRAKey(artifact)] {
                        kept.insert(rpm.id)
                        // The package is taken with the tag's epoch, because the first documents lack epochs.
                        artifacts.insert(rpm.nevra)
                    } else {
                        if arches.contains(artifact.arch) { missing.insert(artifact) }
                        artifacts.insert(artifact)
                    }
                }
            } else {
                let arch = document.arch.map(Architecture.init)
                let built = listed.filter {
                    (arch?.runs($0.arch) ?? !$0.nevra.isSource) && (isDevel || !document.filters.contains($0.name))
                }
                let builds = Set(built.map(\.buildID))
                let sources = listed.filter { $0.nevra.isSource && builds.contains($0.buildID) }
                kept.formUnion((built + sources).map(\.id))
                artifacts.formUnion((built + sources).map(\.nevra))
            }
            streams.append(document.with(artifacts: artifacts))
        }
        let builds = Set(listed.filter { kept.contains($0.id) }.map(\.buildID))
        kept.formUnion(listed.filter { $0.nevra.isSource && builds.contains($0.buildID) }.map(\.id))
        content.merge(tagged.keeping(kept))
        if !missing.isEmpty { notes.append(Self.note(missing.sorted(), of: module, event: event)) }
    }

    private static func note(_ missing: [NEVRA], of module: KojiPin.Module, event: Int?) -> String {
        let named = missing.prefix(5).map(\.description) + (missing.count > 5 ? ["\(missing.count - 5) more"] : [])
        return "The tag \(module.tag) in Koji has not all packages of the module \(module.id)\(event.map { " at the event \($0)" } ?? ""): "
            + "there is no \(named.joined(separator: ", "))."
    }

    /// The architecture of the machines that a module's document is for.
    private struct Architecture {
        let name: String

        /// Returns whether packages of `arch` are built for these machines. Packages that the machines can
        /// merely run do not count.
        func runs(_ arch: String) -> Bool {
            arch == name || arch == "noarch" || Self.others[name]?.contains(arch) ?? false
        }

        private static let others: [String: Set<String>] = [
            "i386": ["i486", "i586", "i686"], "i686": ["i386", "i486", "i586"],
            "armhfp": ["armv6hl", "armv7hl", "armv7hnl"], "armv7hl": ["armv6hl", "armv7hnl"],
        ]
    }
}
