public import Repodata

/// The reason why a package is in the result. If there are several reasons, it is the one with the
/// shortest chain back to a request.
public enum Reason: Hashable, Sendable, Codable {
    /// The request names the package, or has a longer form of its name.
    case requested(by: String)
    /// The package is built from a requested source package.
    case builtFrom(source: String, pattern: String)
    /// The package satisfies a requirement of another package of the result or of the lookaside.
    case requiredBy(NEVRA, requirement: String)
    /// The package belongs to this build of a module, `NAME:STREAM:VERSION:CONTEXT`, which is included as a
    /// whole.
    case module(String)
    /// The request is for everything.
    case everything
    /// The package is the 32-bit counterpart of a package of the result.
    case multilib(of: NEVRA)
    /// The package is the source package of a package of the result.
    case sourceOf(NEVRA)
    /// The package has the debugging information, or the sources for debugging, of a package of the result.
    case debugOf(NEVRA)

    private enum RequiredByCodingKeys: String, CodingKey { case _0 = "package", requirement }
    private enum ModuleCodingKeys: String, CodingKey { case _0 = "module" }
    private enum SourceOfCodingKeys: String, CodingKey { case _0 = "package" }
    private enum DebugOfCodingKeys: String, CodingKey { case _0 = "package" }
}

extension Reason {
    /// Whether the request is for the package itself.
    var isByItself: Bool {
        switch self {
        case .requested, .builtFrom, .module: true
        case .requiredBy, .everything, .multilib, .sourceOf, .debugOf: false
        }
    }
}

extension Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .requested(let pattern): "requested by \(pattern)"
        case .builtFrom(let source, let pattern): "built from \(source), requested by \(pattern)"
        case .requiredBy(let package, let requirement): "required by \(package) (\(requirement))"
        case .module(let build): "part of the module \(build)"
        case .everything: "everything was requested"
        case .multilib(let package): "32-bit counterpart of \(package)"
        case .sourceOf(let package): "source of \(package)"
        case .debugOf(let package): "debugging information of \(package)"
        }
    }
}
