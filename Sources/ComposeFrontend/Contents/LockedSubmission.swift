import ComposeModel
import ForeignText
import Foundation
import ImageModel

/// A locked submission is a lock file as a request sends it: the request to repeat, the pins of its
/// sources, and the packages that the compose must have.
///
/// A lock file comes from a stranger. Its request is checked as any other request, and its pins must be
/// of the sources of that request. Its packages are only compared with those that a worker chooses. Its
/// paths are not used.
struct LockedSubmission {
    /// The version of lock files that this server reads.
    static let version = 1
    /// The length of the longest name of a package, in bytes.
    private static let longestName = 1000

    /// The request in the form of the API.
    let submission: JSONValue
    let pins: ComposePins
    let packages: PackageLock

    /// Reads a `compose.lock.json`.
    ///
    /// - Throws: ``RequestRejection`` that names the member that is wrong.
    init(_ json: JSONValue) throws(RequestRejection) {
        let lock = try BodyField(root: .object(["source.lock": json])).object("source.lock")!
        try Self.checkVersion(lock)
        (submission, pins) = try Self.inputs(lock)
        guard let list = lock.member("packages") else { throw lock.lacks("packages") }
        guard case .array(let elements) = list.value else { throw list.mustBe("a list of packages") }
        var packages: [PackageLock.Package] = []
        packages.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            packages.append(try Self.package(element, "source.lock.packages[\(index)]"))
        }
        self.packages = PackageLock(packages)
    }

    /// Reads the lock file of a compose of this server. Blocks.
    init(_ list: PackageList, of compose: Int) throws {
        let lock = try BodyField(root: .object(["source.lock": try JSONValue(parsing: list.headText)])).object("source.lock")!
        (submission, pins) = try Self.inputs(lock)
        var packages: [PackageLock.Package] = []
        try list.forEach { packages.append(.init(checksum: $0.checksum, nevra: $0.nevra)) }
        self.packages = PackageLock(packages)
    }

    private static func checkVersion(_ lock: BodyField) throws(RequestRejection) {
        guard let version = try lock.integer("version") else {
            throw .badRequest("source.lock is no lock file: version is missing. It must be the content of a compose.lock.json.")
        }
        guard version <= Self.version else {
            throw .badRequest(
                "source.lock.version is \(version), and this server reads version \(Self.version). A newer server has written the lock file."
            )
        }
        guard version == Self.version else { throw .badRequest("source.lock.version is \(version); it must be \(Self.version).") }
    }

    private static func inputs(_ lock: BodyField) throws(RequestRejection) -> (JSONValue, ComposePins) {
        guard let submission = try lock.object("submission"), let pins = try lock.object("pins") else {
            throw .badRequest(
                "source.lock has no \(lock.member("submission") == nil ? "submission" : "pins"). A server of an older version has written it, or Pulp or Pungi has chosen the packages. Make the compose again there, and use the new lock file."
            )
        }
        do {
            var read = try JSONDecoder().decode(ComposePins.self, from: pins.value.data)
            // The sender chooses these numbers. The number of the tag could be that of a tag that the sender may
            // not read. With a settled event, other composes would continue from this list.
            read.koji?.tag?.id = nil
            read.koji?.tag?.settledEvent = nil
            return (submission.value, read)
        } catch let error as DecodingError {
            throw .badRequest("source.lock.pins\(error.path) is not as a server writes it.")
        } catch {
            throw .badRequest("source.lock.pins is not as a server writes it.")
        }
    }

    private static func package(_ json: JSONValue, _ name: String) throws(RequestRejection) -> PackageLock.Package {
        guard case .object(let members) = json else {
            throw .badRequest("\(name) must be an object, not \(json.shortDescription).")
        }
        func text(_ member: String) throws(RequestRejection) -> String {
            guard case .string(let text)? = members[member] else {
                throw .badRequest(
                    "\(name).\(member) must be a string, not \(members[member]?.shortDescription ?? "absent").")
            }
            return text
        }
        let (checksum, nevra) = (try text("checksum"), try text("nevra"))
        guard checksum.isChecksum else {
            throw .badRequest("\(name).checksum is \(checksum.quoted); it must be an algorithm and hexadecimal digits, such as sha256:1f….")
        }
        guard nevra.utf8.count <= longestName, InstalledPackage(nevra: nevra, module: nil) != nil,
            !nevra.utf8.contains(where: { $0 <= UInt8(ascii: " ") || $0 == 0x7F })
        else {
            throw .badRequest("\(name).nevra is \(nevra.quoted); it must be a package such as ed-1.20-3.x86_64.")
        }
        return .init(checksum: checksum, nevra: nevra)
    }

    // MARK: The request

    /// The members that a request may have besides the lock file. They do not concern the packages.
    private static let besides = [
        "seconds_to_live", "seconds-to-live", "target_dir", "label", "compose_type", "flags", "results", "on_unsigned",
        "unsigned_wait_seconds",
    ]

    /// Returns the body of the request for the compose: that of the lock file, with the members that `body`
    /// has besides.
    ///
    /// - Throws: ``RequestRejection`` if `body` has a member that the lock file decides.
    func body(besides body: BodyField) throws(RequestRejection) -> JSONValue {
        guard case .object(var merged) = submission, case .object(let outer) = body.value else { return submission }
        if case .object(let source)? = outer["source"], let other = source.keys.filter({ $0 != "lock" }).min() {
            throw .badRequest("source.\(other) cannot be beside source.lock, which has the whole source. Leave it out.")
        }
        for (name, value) in outer where name != "source" {
            guard Self.besides.contains(name) else {
                throw .badRequest(
                    "\(name) cannot be beside source.lock. These members can: \(Self.besides.joined(separator: ", ")).")
            }
            if name == "flags", case .array(let own) = value, case .array(let locked)? = merged["flags"] {
                merged["flags"] = .array(locked + own)
            } else {
                merged[name] = value
            }
        }
        return .object(merged)
    }

    /// Throws ``RequestRejection`` if a pin is not of a source of `request`.
    func check(_ request: ComposeRequest) throws(RequestRejection) {
        guard [.repo, .tag, .build, .pungiCompose].contains(request.sourceType) else {
            throw .badRequest(
                "source.lock is of the source type \(request.sourceType.name). Lock files of the types repo, tag, build and pungi_compose can be used."
                    + (request.sourceType == .module ? " Ask for the modules by their full names, which the lock file lists." : ""))
        }
        func mustMatch(_ isMatching: Bool, _ member: String) throws(RequestRejection) {
            guard isMatching else {
                throw .badRequest("source.lock.pins.\(member) is not that of source.lock.submission. The lock file has been changed.")
            }
        }
        func areOf(_ pins: [ComposeSpecification.Repository], _ locations: [String]) -> Bool {
            pins.map(\.location) == locations && pins.allSatisfy(\.repomd.isChecksum)
        }
        try mustMatch(areOf(pins.repositories, request.sourceType == .repo ? request.source : []), "repositories")
        try mustMatch(areOf(pins.lookaside, request.lookasideRepos), "lookaside")
        try mustMatch(pins.modules == nil && pins.pulp == nil && pins.rawConfig == nil, "modules")
        try mustMatch((pins.moduleDefaults == nil) == (request.moduleDefaultsURL == nil), "moduleDefaults")
        try mustMatch(pins.moduleDefaults.map { $0.url == request.moduleDefaultsURL } ?? true, "moduleDefaults")
        let isOfKoji = request.sourceType.traits.hasKojiFiles
        try mustMatch((pins.koji != nil) == isOfKoji, "koji")
        if let koji = pins.koji {
            try mustMatch(
                (koji.tag == nil) == (request.sourceType == .build) && koji.tag?.name ?? "" == request.source.joined(separator: " ")
                    && koji.builds == request.builds.sorted()
                    && koji.scratchTasks == request.scratchBuildTasks.compactMap { Int($0) }.sorted()
                    && koji.tag.map { $0.event > 0 && $0.inherits == !request.flags.contains(.noInheritance) } ?? true, "koji")
            try mustMatch(
                koji.modules == nil || !request.modularKojiTags.isEmpty || !request.scratchModules.isEmpty, "koji.modules")
        }
        let composes = pins.pungiComposes ?? []
        try mustMatch(composes.map(\.location) == (request.sourceType == .pungiCompose ? request.source : []), "pungiComposes")
        for compose in composes {
            let repositories = compose.trees.flatMap { [$0.repository, $0.debug, $0.source].compactMap(\.self) }
            try mustMatch(
                repositories.allSatisfy { $0.location.isBelow(compose.location) && $0.repomd.isChecksum } && compose.rpms.isChecksum,
                "pungiComposes")
        }
    }
}

extension BodyField {
    fileprivate func lacks(_ member: String) -> RequestRejection { .badRequest("\(name) has no \(member).") }
}

extension String {
    /// Whether the text is the name of an algorithm and a number in hexadecimal, such as `sha256:1f…`.
    fileprivate var isChecksum: Bool {
        let parts = split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && utf8.count <= 200 && !parts[0].isEmpty
            && parts[0].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
            && parts[1].utf8.count >= 32 && parts[1].allSatisfy { $0.isASCII && $0.isHexDigit }
    }

    /// Whether a place is below another one. The parts of its path do not lead up again.
    fileprivate func isBelow(_ place: String) -> Bool {
        let directory = place.hasSuffix("/") ? place : place + "/"
        return hasPrefix(directory)
            && !dropFirst(directory.count).split(separator: "/").contains { $0 == ".." || $0.lowercased().contains("%2e") }
    }
}

extension JSONValue {
    /// The value as JSON.
    fileprivate var data: Data {
        get throws { try JSONSerialization.data(withJSONObject: object, options: .fragmentsAllowed) }
    }

    private var object: Any {
        switch self {
        case .null: NSNull()
        case .bool(let value): value
        case .integer(let value): value
        case .number(let value): value
        case .string(let value): value
        case .array(let elements): elements.map(\.object)
        case .object(let members): members.mapValues(\.object)
        }
    }
}

extension DecodingError {
    /// The path of the member that cannot be decoded, with a dot before each name.
    fileprivate var path: String {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        case .keyNotFound(let key, let context):
            context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined() + ".\(key.stringValue)"
        @unknown default: ""
        }
    }
}
