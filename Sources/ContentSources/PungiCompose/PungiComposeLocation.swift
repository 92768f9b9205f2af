import ComposeModel
import ForeignText
import Repodata
import SystemPackage

/// Where a variant of a compose is, as Pungi lays composes out: `…/compose/Server`, beside `…/compose/metadata`.
struct PungiComposeLocation: Hashable, Sendable {
    /// The variant's directory, which is what people name.
    let directory: RepositoryLocation
    /// The variant's name: the last part of ``directory``.
    let variant: String
    /// The directory `compose`, to which the paths in its metadata are relative.
    let compose: RepositoryLocation

    /// Throws `.sourceNotUsable` for what cannot be a variant's directory.
    init(_ directory: RepositoryLocation) throws(ComposeFailure) {
        self.directory = directory
        // Above the root of a server there is nothing, which is all that can be wrong with a step upwards.
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

    /// The directory that holds `compose` and the file STATUS; `nil` where nothing is above.
    var topLevel: RepositoryLocation? {
        // As above: a step upwards fails only where there is nothing.
        switch compose {
        case .directory(let path): path.components.isEmpty ? nil : .directory(path.removingLastComponent())
        case .url(let url): (try? url.appending(href: "..")).map { .url($0) }
        }
    }

    /// The repository at `path` below ``compose``; `nil` for a path that leads out of it.
    func repository(at path: String) -> RepositoryLocation? {
        // A dot alone stands for the folder that it is in.
        let names = path.split(separator: "/").filter { $0 != "." }
        guard !path.hasPrefix("/"), !names.isEmpty, names.allSatisfy(PathComponent.accepts) else { return nil }
        switch compose {
        case .directory(let directory): return .directory(directory.appending(names.joined(separator: "/")).lexicallyNormalized())
        case .url(let url):
            // Not an href: a path in productmd's metadata is not escaped. One of which no address can be made leads nowhere.
            let href = names.map { $0.replacing("%", with: "%25") }.joined(separator: "/")
            return (try? url.appending(href: href)).flatMap { $0.isWithin(url) ? .url($0) : nil }
        }
    }
}
