public import Repodata

/// A package that a repository has and that machines do not see because of modules.
public struct HiddenPackage: Hashable, Sendable, Codable {
    /// A stream that is in use.
    public struct Stream: Hashable, Sendable, Codable {
        /// `NAME:STREAM`
        public let name: String
        /// Whether it is in use as the default of its module.
        public let isDefault: Bool

        public init(name: String, isDefault: Bool) {
            self.name = name
            self.isDefault = isDefault
        }
    }

    public let package: NEVRA
    /// The streams that it is part of, `NAME:STREAM`, none of which is in use. Empty for a package of no module.
    public let streams: [String]
    /// The streams that are in use instead: others of the same modules, or, for a package of no module, those with a package whose name it has or
    /// provides.
    public let inUse: [Stream]
    /// For a package of no module these names.
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
            ? "the modules \(streams.joined(separator: ", ")), none of which is enabled" : "the module \(streams[0]), which is not enabled"
        let instead = inUse.map { $0.isDefault ? "; the default stream is \($0.name)" : "; \($0.name) is enabled" }.joined()
        return "\(package.name) is part of \(modules)\(instead)"
    }
}
