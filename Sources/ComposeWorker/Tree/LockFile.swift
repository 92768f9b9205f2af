import ComposeModel
import ContentSources
import Depsolve
import Foundation
import Modules
import Repodata

/// `compose.lock.json`: what was asked for, every input pinned, every package with its checksum, and why it is there; enough to make the
/// same compose again.
struct LockFile: Encodable {
    /// What decides, beside the sources, which packages are in; named as in a request.
    struct Request: Encodable {
        let packages: [String]
        let arches: [String]
        let flags: [String]
        let multilibArches: [String]
        let multilibMethods: [String]
        let sigkeys: [String]

        enum CodingKeys: String, CodingKey {
            case packages, arches, flags, sigkeys
            case multilibArches = "multilib_arches"
            case multilibMethods = "multilib_method"
        }

        init(_ request: ComposeRequest) {
            packages = request.packages
            arches = request.arches
            flags = request.flags.names
            multilibArches = request.multilibArches
            multilibMethods = request.multilibMethods.names
            sigkeys = request.sigkeys
        }
    }

    struct Source: Encodable {
        let location: String
        let repomd: Checksum
        let lookaside: Bool
    }

    struct Package: Encodable {
        let nevra: String
        let checksum: Checksum
        let size: Int
        /// Which of the sources has it, by the checksum of its repomd.xml, and where it is there.
        let repomd: Checksum
        let location: String
        /// Where it is in the compose, below `compose/Temporary`; its address, where the compose refers to it.
        let path: String
        let reason: Reason
        /// The reason in a sentence.
        let why: String
    }

    struct Module: Encodable {
        /// Name, stream, version and context.
        let id: String
        /// Why it is in, in words.
        let why: String
    }

    let version = 1
    let request: Request
    let sources: [Source]
    /// The event and the builds that Koji's packages are of; `nil` for any other source.
    let koji: KojiPin?
    /// `nil` where there are none.
    let modules: [Module]?
    /// `nil` for a compose that has its packages' files.
    let delivery: Delivery?
    let packages: [Package]
    let absent: [AbsentPackage]
    let missing: [MissingRequirement]
    let problems: [InstallProblem]
    let overruled: [OverruledPackage]

    init(
        _ request: ComposeRequest, resolution: Resolution, content: PackageSet, modules: ComposedModules,
        packages: [(ResolvedPackage, path: String)]
    ) {
        self.request = Request(request)
        koji = content.koji?.pin
        // Where this service reads Koji's files is its own affair.
        sources =
            content.repositories.filter { $0.metadata.id != content.koji?.repository }.map {
                Source(location: $0.location.description, repomd: $0.metadata.id, lookaside: false)
            }
            + content.lookaside.map { Source(location: $0.location.description, repomd: $0.metadata.id, lookaside: true) }
        self.modules =
            modules.reasons.isEmpty
            ? nil : modules.reasons.sorted { $0.key < $1.key }.map { Module(id: $0.key.description, why: $0.value) }
        delivery = request.delivery == .link ? nil : request.delivery
        self.packages = packages.map { package, path in
            let record = package.record
            return Package(
                nevra: record.nevra.description, checksum: record.pkgid, size: record.size, repomd: record.repository,
                location: record.location, path: path, reason: package.reason, why: package.reason.description)
        }
        absent = resolution.absent
        missing = resolution.missing
        problems = resolution.problems
        overruled = resolution.overruled
    }
}
