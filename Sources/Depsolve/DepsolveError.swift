public import Repodata

/// Why nothing could be resolved at all.
public enum DepsolveError: Error, Hashable, Sendable {
    /// An architecture was asked for that RPM does not know.
    case unknownArchitecture(String)
    /// A document of a repository is not what it should be; `reason` says what and, where known, at which line.
    case unusableMetadata(repository: Checksum, document: String, reason: String)
    /// A listing names packages that its repositories do not have.
    case listedButAbsent([NEVRA], arch: String, listing: String)
    /// A module was to be enabled, or to be in the result, of which no repository has such a build.
    /// `refused` has a sentence for each document that may be of that build and cannot be used.
    case moduleNotFound(String, nearest: [String], refused: [String] = [])
    /// The modules that were to be enabled cannot be enabled together, or one of them cannot be at all.
    case modulesConflict([ModuleProblem.Statement], arch: String)
    /// What the repositories tell of modules contradicts itself.
    case unusableModules(reason: String)
    /// The packages of an architecture could not be resolved within that time.
    case overTime(Duration)
    /// The packages exclude each other in more pairs than can be solved for.
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
            "The modules that are to be enabled cannot be for \(arch): \(statements.map(\.description).joined(separator: "; "))."
        case .unusableModules(let reason):
            "What the repositories tell of modules cannot be used: \(reason)"
        case .overTime(let limit):
            "The dependencies of the packages could not be resolved within \(Self.seconds(limit)) seconds, the most that this service takes for "
                + "one architecture (worker.resolve_seconds)."
        case .tooManyExclusions:
            "The dependencies of the packages cannot be resolved: more than \(Exclusions.most) pairs of them exclude each other, the most "
                + "that this service solves for."
        case .canceled:
            "Canceled."
        }
    }

    /// Whether libsolv may have been left in the middle of its work.
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

    /// How many packages an explanation names.
    private static let namedPackages = 20
}
