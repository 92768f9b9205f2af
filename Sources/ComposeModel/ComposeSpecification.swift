public import Foundation

/// A request with every input pinned: the same specification gives the same repository at any time.
///
/// Two composes with equal ``key``s are one piece of work.
public struct ComposeSpecification: Hashable, Sendable, Codable {
    /// One repository at one moment.
    public struct Repository: Hashable, Sendable, Codable {
        /// As the request wrote it.
        public var location: String
        /// The checksum of its repomd.xml, `sha256:…`.
        public var repomd: String

        public init(location: String, repomd: String) {
            self.location = location
            self.repomd = repomd
        }
    }

    public var sourceType: SourceType
    /// What the sources were when they were looked at.
    public var pins: ComposePins
    /// Sorted, without repetition; empty means everything.
    public var packages: [String]
    public var sigkeys: [String]
    public var arches: [String]
    public var multilibArches: [String]
    public var multilibMethods: MultilibMethods
    /// Only those that change what is built.
    public var flags: ComposeFlags
    public var results: ComposeResults
    public var label: String?
    public var composeType: String?
    public var targetDir: String
    public var delivery: Delivery
    /// The streams that are enabled, sorted; `nil`: none.
    public var modules: [String]?
    public var moduleHotfixes: Bool?

    public init(_ request: ComposeRequest, pins: ComposePins) {
        sourceType = request.sourceType
        self.pins = pins
        packages = Set(request.packages).sorted()
        sigkeys = request.sigkeys.map { $0.lowercased() }
        arches = Set(request.arches).sorted()
        multilibArches = Set(request.multilibArches).sorted()
        multilibMethods = request.multilibMethods
        flags = request.flags.subtracting(.noReuse)
        results = request.results
        label = request.label
        composeType = request.composeType
        targetDir = request.targetDir
        delivery = request.delivery
        modules = request.modules.isEmpty ? nil : Set(request.modules).sorted()
        moduleHotfixes = request.moduleHotfixes
    }

    /// The specification as JSON with sorted keys: equal values give equal bytes.
    public func canonicalJSON() throws -> Data { try CanonicalJSON.encode(self) }

    /// The SHA-256 of the canonical JSON, in hexadecimal.
    public func key() throws -> String { try CanonicalJSON.digest(of: self) }
}
