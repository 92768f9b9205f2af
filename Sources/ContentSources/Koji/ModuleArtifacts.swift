import ComposeModel
import Koji
import Modules
import Repodata

/// Which packages of modules' tags are the modules' own.
struct ModuleArtifacts {
    /// The packages, of all the tags.
    private(set) var content = KojiContent()
    /// The modules' documents; where one of them names no packages, with those that there are.
    var streams: [ModuleStream] = []
    private(set) var notes: [String] = []

    /// Takes the packages of `module` from what its tag has.
    ///
    /// What the documents do not name was filtered out, or is for other architectures. Documents that name none at all are of the time before they did: then
    /// it is all that is built for their architectures and not filtered out.
    /// - Parameter arches: those that `tagged` has packages of.
    mutating func add(_ module: KojiPin.Module, _ documents: [ModuleStream], from tagged: KojiContent, arches: Set<String>, event: Int?) {
        let listed = tagged.listed
        let known = Dictionary(listed.map { (NEVRAKey($0.nevra), $0) }, uniquingKeysWith: { first, _ in first })
        var kept: Set<Int> = []
        var missing: Set<NEVRA> = []
        let namesPackages = documents.contains { !$0.artifacts.isEmpty }
        for document in documents {
            var artifacts: Set<NEVRA> = []
            if namesPackages {
                for artifact in document.artifacts {
                    if let rpm = known[NEVRAKey(artifact)] {
                        kept.insert(rpm.id)
                        // With the epoch that it has, which the first documents left out.
                        artifacts.insert(rpm.nevra)
                    } else {
                        if arches.contains(artifact.arch) { missing.insert(artifact) }
                        artifacts.insert(artifact)
                    }
                }
            } else {
                let arch = document.arch.map(Architecture.init)
                let built = listed.filter { (arch?.runs($0.arch) ?? !$0.nevra.isSource) && !document.filters.contains($0.name) }
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

    /// The machines that a module's document is for.
    private struct Architecture {
        let name: String

        /// Whether packages of `arch` are built for it; those that it merely can run as well are not.
        func runs(_ arch: String) -> Bool {
            arch == name || arch == "noarch" || Self.others[name]?.contains(arch) ?? false
        }

        private static let others: [String: Set<String>] = [
            "i386": ["i486", "i586", "i686"], "i686": ["i386", "i486", "i586"],
            "armhfp": ["armv6hl", "armv7hl", "armv7hnl"], "armv7hl": ["armv6hl", "armv7hnl"],
        ]
    }
}
