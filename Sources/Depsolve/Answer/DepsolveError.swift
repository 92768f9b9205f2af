public import Compression
public import Repodata

/// An error that prevents any resolution of a request.
public enum DepsolveError: Error, Hashable, Sendable {
    /// The request names an architecture for which no tree can be made.
    case unknownArchitecture(String)
    /// A document of a repository is invalid. `reason` says why and, if known, at which line.
    case unusableMetadata(repository: Checksum, document: String, reason: String)
    /// A listing names packages that its repositories do not have.
    case listedButAbsent([NEVRA], arch: String, listing: String)
    /// The request enables or includes a module, and no repository has a matching build. `refused` has a
    /// sentence for each unusable document that may describe that build.
    case moduleNotFound(String, nearest: [String], refused: [String] = [])
    /// The modules to enable cannot be enabled together, or one of them cannot be enabled at all.
    case modulesConflict([ModuleProblem.Statement], arch: String)
    /// The module metadata of the repositories contradicts itself.
    case unusableModules(reason: String)
    /// Resolving the packages of one architecture took longer than this time.
    case overTime(Duration)
    /// More pairs of packages exclude each other than can be solved.
    case tooManyExclusions
    /// The task was canceled.
    case canceled
}

extension DepsolveError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownArchitecture(let arch):
            "\(arch) is not an architecture for which trees can be made; known are \(TreeArchitecture.knownNames.joined(separator: ", "))."
        case .unusableMetadata(let repository, let document, let reason):
            "\(document) of the repository whose repomd.xml has the checksum \(repository) cannot be used: \(reason)."
        case .listedButAbsent(let packages, let arch, let listing):
            "\(listing) lists \(packages.count == 1 ? "1 package" : "\(packages.count) packages") for \(arch) that its repositories do not have: "
                + packages.prefix(Self.namedPackages).map(\.description).joined(separator: ", ")
                + (packages.count > Self.namedPackages ? " and others." : ".")
        case .moduleNotFound(let module, let nearest, let refused):
            (["There is no module \(module) in the repositories."] + refused).joined(separator: " ")
                + (nearest.isEmpty
                    ? "" : " The nearest \(nearest.count == 1 ? "name is" : "names are") \(nearest.joined(separator: ", ")).")
        case .modulesConflict(let statements, let arch):
            "The requested modules cannot be enabled for \(arch): \(statements.map(\.description).joined(separator: "; "))."
        case .unusableModules(let reason):
            "The module metadata of the repositories cannot be used: \(reason)"
        case .overTime(let limit):
            "The dependencies of the packages could not be resolved within \(Self.seconds(limit)) seconds, the most that this service takes for "
                + "one architecture (worker.resolve_seconds)."
        case .tooManyExclusions:
            "The dependencies of the packages cannot be resolved: more than \(Self.mostExclusions) pairs of them exclude each other, the most "
                + "that this service solves for."
        case .canceled:
            "Canceled."
        }
    }

    /// Whether the error may have stopped libsolv in the middle of its work.
    var mayHaveLeftSolver: Bool {
        switch self {
        case .overTime, .canceled: true
        default: false
        }
    }

    private static func seconds(_ limit: Duration) -> String {
        let seconds = limit / .seconds(1)
        return seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
    }

    /// The maximum number of pairs of packages that exclude each other. So many rules take a gigabyte.
    /// Distributions have some thousands of pairs.
    static let mostExclusions = 50_000_000

    /// The maximum number of packages that an error text names.
    private static let namedPackages = 20
}
