import ComposeModel
import ForeignText
import Repodata
import SystemPackage

/// The location of a variant of a compose in Pungi's layout. The variant's directory is
/// `…/compose/Server`, and the metadata is in `…/compose/metadata`.
struct PungiComposeLocation: Hashable, Sendable {
    /// The variant's directory, which requests name.
    let directory: RepositoryLocation
    /// The variant's name: the last part of ``directory``.
    let variant: String
    /// The directory `compose`, to which the paths in its metadata are relative.
    let compose: RepositoryLocation

    /// Throws `.sourceNotUsable` for a location that cannot be a variant's directory.
    init(_ directory: RepositoryLocation) throws(ComposeFailure) {
        self.directory = directory
        // A step upwards fails only if nothing is above, at the root of a server.
        let (variant, parent): (String?, RepositoryLocation?) =
            switch directory {
            case .directory(let path): (path.lastComponent?.string, .directory(path.removingLastComponent()))
            case .url(let url): (url.names.last, (try? url.appending(href: "..")).map { .url($0) })
            }
        guard let variant, let parent else {
            throw ComposeFailure(
                .sourceNotUsable, "\(directory) is not the place of a variant of a compose, which ends in compose/ and the variant's name.")
        }
        self.variant = variant
        compose = parent
    }

    /// The directory that holds `compose` and the file STATUS. `nil` if nothing is above `compose`.
    var topLevel: RepositoryLocation? {
        // As above, a step upwards fails only if nothing is above.
        switch compose {
        case .directory(let path): path.components.isEmpty ? nil : .directory(path.removingLastComponent())
        case .url(let url): (try? url.appending(href: "..")).map { .url($0) }
        }
    }

    /// Returns the repository at `path` below ``compose``, or `nil` for a path that leads out of it.
    func repository(at path: String) -> RepositoryLocation? {
        // A dot alone stands for the folder that contains it.
        let names = path.split(separator: "/").filter { $0 != "." }
        guard !path.hasPrefix("/"), !names.isEmpty, names.allSatisfy(PathComponent.accepts) else { return nil }
        switch compose {
        case .directory(let directory): return .directory(directory.appending(names.joined(separator: "/")).lexicallyNormalized())
        case .url(let url):
            // The path is not an href, because paths in productmd's metadata are not escaped. A path that cannot
            // become a URL gives `nil`.
            let href = names.map { $0.replacing("%", with: "%25") }.joined(separator: "/")
            return (try? url.appending(href: href)).flatMap { $0.isWithin(url) ? .url($0) : nil }
        }
    }
}
