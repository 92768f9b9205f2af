import ComposeModel
import ContentSources
import Depsolve
import Foundation
import Modules
import Repodata

/// `compose.lock.json`: what was asked for, every input pinned, every package with its checksum, and why it is there; enough to make the
/// same compose again.
struct LockFile {
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

    struct Package {
        let resolved: ResolvedPackage
        /// Where it is in the compose, below `compose/Temporary`; its address, where the compose refers to it.
        let path: String
    }

    struct Module: Encodable {
        /// Name, stream, version and context.
        let id: String
        /// Why it is in, in words.
        let why: String
    }

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
        packages: [Package]
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
        self.packages = packages
        absent = resolution.absent
        missing = resolution.missing
        problems = resolution.problems
        overruled = resolution.overruled
    }

    /// The document.
    func text() throws -> Data {
        let text = try JSONText.document { json in
            json.member("version", 1)
            try json.member("request", encoding: request)
            try json.member("sources", encoding: sources)
            if let koji { try json.member("koji", encoding: koji) }
            if let modules { try json.member("modules", encoding: modules) }
            if let delivery { try json.member("delivery", encoding: delivery) }
            json.array("packages") { json in
                for package in packages { json.object { package.write(to: &$0) } }
            }
            try json.member("absent", encoding: absent)
            try json.member("missing", encoding: missing)
            try json.member("problems", encoding: problems)
            try json.member("overruled", encoding: overruled)
        }
        return Data(text)
    }
}

extension LockFile.Package {
    fileprivate func write(to json: inout JSONText) {
        let record = resolved.record
        json.member("nevra", record.nevra.description)
        json.member("checksum", record.pkgid.description)
        json.member("size", record.size)
        // Which of the sources has it, by the checksum of its repomd.xml, and where it is there.
        json.member("repomd", record.repository.description)
        json.member("location", record.location)
        json.member("path", path)
        json.object("reason") { resolved.reason.write(to: &$0) }
        // The same in a sentence.
        json.member("why", resolved.reason.description)
    }
}

extension Reason {
    /// As it is encoded anywhere else.
    fileprivate func write(to json: inout JSONText) {
        switch self {
        case .requested(let pattern):
            json.object("requested") { $0.member("by", pattern) }
        case .builtFrom(let source, let pattern):
            json.object("builtFrom") { json in
                json.member("source", source)
                json.member("pattern", pattern)
            }
        case .requiredBy(let package, let requirement):
            json.object("requiredBy") { json in
                json.object("package") { package.write(to: &$0) }
                json.member("requirement", requirement)
            }
        case .module(let build):
            json.object("module") { $0.member("module", build) }
        case .everything:
            json.object("everything") { _ in }
        case .multilib(let package):
            json.object("multilib") { json in json.object("of") { package.write(to: &$0) } }
        case .sourceOf(let package):
            json.object("sourceOf") { json in json.object("package") { package.write(to: &$0) } }
        case .debugOf(let package):
            json.object("debugOf") { json in json.object("package") { package.write(to: &$0) } }
        }
    }
}

extension NEVRA {
    fileprivate func write(to json: inout JSONText) {
        json.member("name", name)
        json.member("epoch", epoch)
        json.member("version", version)
        json.member("release", release)
        json.member("arch", arch)
    }
}
