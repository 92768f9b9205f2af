public import Repodata

/// Why a package is in the result. Where there are several reasons, the one with the shortest chain back to a request.
public enum Reason: Hashable, Sendable, Codable {
    /// Its name, or a longer form of it, is what was asked for.
    case requested(by: String)
    /// It is built from the source package that was asked for.
    case builtFrom(source: String, pattern: String)
    /// It provides what another package of the result, or of the lookaside, requires.
    case requiredBy(NEVRA, requirement: String)
    /// It is a package of this build of a module, `NAME:STREAM:VERSION:CONTEXT`, which is to be in whole.
    case module(String)
    /// Everything was asked for.
    case everything
    /// It is the 32-bit counterpart of a package of the result.
    case multilib(of: NEVRA)
    /// It is the source package of a package of the result.
    case sourceOf(NEVRA)
    /// It has the debugging information, or the sources for debugging, of a package of the result.
    case debugOf(NEVRA)

    private enum RequiredByCodingKeys: String, CodingKey { case _0 = "package", requirement }
    private enum ModuleCodingKeys: String, CodingKey { case _0 = "module" }
    private enum SourceOfCodingKeys: String, CodingKey { case _0 = "package" }
    private enum DebugOfCodingKeys: String, CodingKey { case _0 = "package" }
}

extension Reason {
    /// Whether somebody asked for the package itself.
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
