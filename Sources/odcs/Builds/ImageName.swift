import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// An *image name* is an image of the service as a person names it: by its number, by its name, or by
/// the end of its name. A digest names one of its manifests. A tag counts only if several images share
/// the name, as artifacts do.
///
/// Examples: `12`, `team/web`, `registry.example.org/team/web:latest`, `asyn-component:rocky9-R4.39`.
struct ImageName: ExpressibleByArgument, CustomStringConvertible {
    let description: String

    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        description = argument
    }

    /// The digest of a manifest, if the name has one.
    var digest: ImageDigest? { Int(description) == nil ? (try? ImageReference(description))?.digest : nil }

    /// Returns the image that the name means.
    ///
    /// - Throws: `CommandFailure` if no image has the name, or if several have it.
    func image(at client: ComposeClient) async throws -> ImageDocument {
        if let id = Int(description) { return try await client.image(id) }
        let (name, tag) = try parts
        var query = ImageListQuery()
        query.perPage = 100
        for pattern in [name, "*/\(name)"] {
            query.repository = pattern
            let found = try await client.images(query).items
            let tagged = found.filter { $0.definition.tags?.contains(tag) ?? false }
            if tagged.count == 1 { return tagged[0] }
            guard found.count < 2 else {
                let names = found.prefix(5).map { "\($0.repository.printable()) (\($0.id))" }.joined(separator: ", ")
                throw CommandFailure(.error, "\(description.quoted) can mean \(names); write the whole name, or the number")
            }
            if let image = found.first { return image }
        }
        throw CommandFailure(
            .error, "the service has no image \(description.quoted); 'odcs image list' shows those it has, 'odcs image add' adds one")
    }

    /// The name without tag and digest, and the tag. The tag is empty if there is none.
    private var parts: (name: String, tag: String) {
        get throws {
            do throws(ImageProblem) {
                // The text keeps its form, because a name without a host is not one of Docker Hub here.
                _ = try ImageReference(description)
            } catch {
                throw CommandFailure(.usage, error.description)
            }
            let name = description.prefix { $0 != "@" }
            let path = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
            guard let colon = name[path...].firstIndex(of: ":") else { return (String(name), "") }
            return (String(name[..<colon]), String(name[colon...].dropFirst()))
        }
    }
}
