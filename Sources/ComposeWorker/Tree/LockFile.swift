import ComposeModel
import Compression
import ContentSources
import Depsolve
import Foundation
import Modules
import Repodata

/// A lock file is the content of `compose.lock.json`. It has the request, every input with its pin, and
/// every package with its checksum and the reason why it is included. That is enough to make the same
/// compose again.
struct LockFile {
    struct Source: Encodable {
        let location: String
        let repomd: Checksum
        let lookaside: Bool
    }

    struct Package {
        let resolved: ResolvedPackage
        /// The path of the package's file below `compose/Temporary`. If the compose refers to the file, this is
        /// its address.
        let path: String
        /// The module and stream of the package. Example: `nodejs:18`. `nil` if it is not modular.
        var module: String?
        /// Where Koji has the package. `nil` if it comes from somewhere else.
        var koji: KojiOrigin?
    }

    struct ModuleReason: Encodable {
        /// The module as `NAME:STREAM:VERSION:CONTEXT`.
        let id: String
        /// The reason why the module is included, in words.
        let why: String
    }

    let request: LockedRequest
    /// The request in the form of the API, without the members that do not concern the packages. With
    /// ``pins``, a server makes the compose again.
    let submission: ComposeSubmission
    let pins: ComposePins
    let sources: [Source]
    /// The event and the builds that Koji's packages come from, or `nil` for any other source.
    let koji: KojiPin?
    /// The tags from the compose's tag to each tag that has packages, by the name of the last one. `nil` if
    /// no package comes from a tag.
    let inheritance: [String: [String]]?
    /// `nil` if the compose has no modules.
    let modules: [ModuleReason]?
    /// `nil` for a compose that contains its packages' files.
    let delivery: Delivery?
    let packages: [Package]
    let absent: [AbsentPackage]
    let missing: [MissingRequirement]
    let problems: [InstallProblem]
    let overruled: [OverruledPackage]

    init(
        _ request: ComposeRequest, pins: ComposePins, resolution: Resolution, content: PackageSet, modules: ComposedModules,
        packages: [Package]
    ) {
        self.request = LockedRequest(request)
        submission = ComposeSubmission(inputsOf: request)
        self.pins = pins
        koji = content.koji?.pin
        var ways: [String: [String]] = [:]
        for tags in packages.compactMap(\.koji?.tags) {
            if let tag = tags.last, ways[tag] == nil { ways[tag] = tags }
        }
        inheritance = ways.isEmpty ? nil : ways
        // The place at which this service reads Koji's files is internal, so Koji's repository is left out.
        sources =
            content.repositories.filter { $0.metadata.id != content.koji?.repository }.map {
                Source(location: $0.location.description, repomd: $0.metadata.id, lookaside: false)
            }
            + content.lookaside.map { Source(location: $0.location.description, repomd: $0.metadata.id, lookaside: true) }
        self.modules =
            modules.reasons.isEmpty
            ? nil : modules.reasons.sorted { $0.key < $1.key }.map { ModuleReason(id: $0.key.description, why: $0.value) }
        delivery = request.delivery == .link ? nil : request.delivery
        self.packages = packages
        absent = resolution.absent
        missing = resolution.missing
        problems = resolution.problems
        overruled = resolution.overruled
    }

    /// The approximate number of bytes of one package in the document.
    private static let bytesOfPackage = 600

    /// Returns the document, with each package on a line of its own.
    func text() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var json = JSONWriter(reservingBytes: packages.count * Self.bytesOfPackage)
        try json.object { json in
            func member(_ name: String, _ value: some Encodable) throws {
                json.line()
                json.name(name)
                json.value(try encoder.encode(value))
            }
            try member("version", 1)
            try member("request", request)
            try member("submission", submission)
            try member("pins", pins)
            try member("sources", sources)
            if let koji { try member("koji", koji) }
            if let inheritance { try member("inheritance", inheritance) }
            if let modules { try member("modules", modules) }
            if let delivery { try member("delivery", delivery) }
            try member("absent", absent)
            try member("missing", missing)
            try member("problems", problems)
            try member("overruled", overruled)
            json.line()
            json.name("packages")
            json.array(packages) { json, package in
                json.line()
                json.object { package.write(to: &$0) }
            }
        }
        json.endLine()
        return json.bytes
    }
}

extension LockFile.Package {
    fileprivate func write(to json: inout JSONWriter) {
        let record = resolved.record
        json.member("nevra", record.nevra.description)
        // The reason in a sentence.
        json.member("why", resolved.reason.description)
        json.member("reason") { resolved.reason.write(to: &$0) }
        json.member("checksum", record.pkgid.description)
        json.member("size", record.size)
        // The source that has the package, named by the checksum of its repomd.xml, and the package's place
        // there.
        json.member("repomd", record.repository.description)
        json.member("location", record.location)
        json.member("path", path)
        if let module { json.member("module", module) }
        // Other builds that the sources have, and the sources with another file of this one.
        let alternatives = resolved.alternatives
        if !alternatives.builds.isEmpty {
            json.name("other_builds")
            json.array(alternatives.builds) { $0.string($1.description) }
        }
        if !alternatives.otherFiles.isEmpty {
            json.name("other_files")
            json.array(alternatives.otherFiles) { $0.string($1.description) }
        }
        if let koji {
            json.member("build", koji.build)
            if let tag = koji.tags.last { json.member("tag", tag) }
            if !koji.key.isEmpty { json.member("key", koji.key) }
            if !koji.otherKeys.isEmpty {
                json.name("other_keys")
                json.array(koji.otherKeys) { $0.string($1) }
            }
        }
    }
}

extension Reason {
    /// Writes the reason in the form that its `Codable` conformance gives.
    fileprivate func write(to json: inout JSONWriter) {
        switch self {
        case .requested(let pattern):
            json.member("requested") { $0.member("by", pattern) }
        case .builtFrom(let source, let pattern):
            json.member("builtFrom") { json in
                json.member("source", source)
                json.member("pattern", pattern)
            }
        case .requiredBy(let package, let requirement):
            json.member("requiredBy") { json in
                json.member("package") { package.write(to: &$0) }
                json.member("requirement", requirement)
            }
        case .module(let build):
            json.member("module") { $0.member("module", build) }
        case .everything:
            json.member("everything") { _ in }
        case .multilib(let package):
            json.member("multilib") { json in json.member("of") { package.write(to: &$0) } }
        case .sourceOf(let package):
            json.member("sourceOf") { json in json.member("package") { package.write(to: &$0) } }
        case .debugOf(let package):
            json.member("debugOf") { json in json.member("package") { package.write(to: &$0) } }
        }
    }
}

extension NEVRA {
    fileprivate func write(to json: inout JSONWriter) {
        json.member("name", name)
        json.member("epoch", epoch)
        json.member("version", version)
        json.member("release", release)
        json.member("arch", arch)
    }
}
