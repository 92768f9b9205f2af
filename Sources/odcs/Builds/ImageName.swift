import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// An *image name* is an image of the service as a person names it: by its number, by its name, or by
/// the end of its name. A tag is ignored, and a digest names one of its manifests.
///
/// Examples: `12`, `team/web`, `registry.example.org/team/web:latest`.
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
        let name = try bareName
        var query = ImageListQuery()
        query.perPage = 20
        for pattern in [name, "*/\(name)"] {
            query.repository = pattern
            let found = try await client.images(query).items
            guard found.count < 2 else {
                let names = found.prefix(5).map { $0.repository.printable() }.joined(separator: ", ")
                throw CommandFailure(.error, "\(description.quoted) can mean \(names); write the whole name")
            }
            if let image = found.first { return image }
        }
        throw CommandFailure(
            .error, "the service has no image \(description.quoted); 'odcs image list' shows those it has, 'odcs image add' adds one")
    }

    /// The name without tag and digest.
    private var bareName: String {
        get throws {
            do throws(ImageProblem) {
                // The text keeps its form, because a name without a host is not one of Docker Hub here.
                _ = try ImageReference(description)
            } catch {
                throw CommandFailure(.usage, error.description)
            }
            var name = description.prefix { $0 != "@" }
            let path = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
            if let colon = name[path...].firstIndex(of: ":") { name = name[..<colon] }
            return String(name)
        }
    }
}
