public import Repodata

/// A package of a repository that machines do not see because modules hide it.
///
/// Example: `nginx-1-1.x86_64` is hidden by the module `httpd:1`, which has a package `httpd`, because
/// nginx provides that name.
public struct HiddenPackage: Hashable, Sendable, Codable {
    /// An active stream.
    public struct Stream: Hashable, Sendable, Codable {
        /// The module and the stream, as `NAME:STREAM`.
        public let name: String
        /// Whether the stream is active as the default of its module.
        public let isDefault: Bool

        public init(name: String, isDefault: Bool) {
            self.name = name
            self.isDefault = isDefault
        }
    }

    public let package: NEVRA
    /// The streams that the package is part of, as `NAME:STREAM`. None of them is active. Streams with
    /// another version of the package count too. Empty for a package of no module.
    public let streams: [String]
    /// The streams that are active instead. These are other streams of the same modules. For a package of
    /// no module, they are the streams with a package whose name it has or provides.
    public let inUse: [Stream]
    /// The names because of which a package of no module is hidden. Empty for a package of a module.
    public let names: [String]

    public init(package: NEVRA, streams: [String], inUse: [Stream], names: [String]) {
        self.package = package
        self.streams = streams
        self.inUse = inUse
        self.names = names
    }
}

extension HiddenPackage: CustomStringConvertible {
    public var description: String {
        if streams.isEmpty {
            return "\(package) is hidden by the \(inUse.count > 1 ? "modules" : "module") \(inUse.map(\.name).joined(separator: ", ")), "
                + "which \(inUse.count > 1 ? "have" : "has") \(names.joined(separator: ", "))"
        }
        let modules =
            streams.count > 1
            ? "the modules \(streams.joined(separator: ", ")), and none of them is enabled"
            : "the module \(streams[0]), which is not enabled"
        let instead = inUse.map { $0.isDefault ? "; the default stream is \($0.name)" : "; \($0.name) is enabled" }.joined()
        return "\(package.name) is part of \(modules)\(instead)"
    }
}
