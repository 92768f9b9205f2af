import ForeignText
public import ImageModel

/// The *references* of a generated tree are the images and tags of one push. `make references` prints
/// them, so that the Makefile alone decides about them.
///
/// Example of the text:
///
///     program podman
///     push-options --quiet
///     registry quay.io/dpdk
///     builder-mode N
///     image fedora linux/amd64 quay.io/dpdk/fedora:image-linux-amd64-20261129
///     tag fedora quay.io/dpdk/fedora:20261129
///     tag fedora quay.io/dpdk/fedora:latest
public struct TreeReferences: Hashable, Sendable {
    /// An image of the inventory, with its platforms and tags.
    public struct Image: Hashable, Sendable {
        public let name: String
        /// The images of the platforms, in the order of the inventory.
        public fileprivate(set) var platforms: [PlatformImage] = []
        /// The tags of the manifest list. The tag `latest` comes last.
        public fileprivate(set) var tags: [ImageReference] = []
    }

    /// The image of one platform, with the tag that it is pushed to.
    public struct PlatformImage: Hashable, Sendable {
        public let platform: Platform
        public let reference: ImageReference
    }

    /// The program that pushes, for example `podman`.
    public private(set) var program = ""
    /// The options that the user adds to each push.
    public private(set) var pushOptions: [String] = []
    /// Whether the images stay in local storage.
    public private(set) var isLocal = false
    /// Whether no manifest lists are made.
    public private(set) var isBuilderMode = false
    public private(set) var images: [Image] = []

    /// - Throws: ``InventoryProblem`` for another text. A registry that is no registry is in the text
    ///   as well.
    public init(_ text: String) throws(InventoryProblem) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ").map(String.init)
            let rest = Array(words.dropFirst())
            do throws(ImageProblem) {
                switch (words.first, rest.count) {
                case ("program", _): program = rest.joined(separator: " ")
                case ("push-options", _): pushOptions = rest
                case ("registry", _): isLocal = rest == ["localhost"]
                case ("builder-mode", _): isBuilderMode = rest == ["Y"]
                case ("image", 3):
                    let image = PlatformImage(platform: try Platform(rest[1]), reference: try ImageReference(rest[2]))
                    change(rest[0]) { $0.platforms.append(image) }
                case ("tag", 2):
                    let tag = try ImageReference(rest[1])
                    change(rest[0]) { $0.tags.append(tag) }
                default: throw ImageProblem(.badReference, "\(line.quoted) is no line of make references.")
                }
            } catch {
                throw InventoryProblem(file: "make references", error.description)
            }
        }
    }

    private mutating func change(_ name: String, _ body: (inout Image) -> Void) {
        let known = images.firstIndex { $0.name == name }
        if known == nil { images.append(Image(name: name)) }
        body(&images[known ?? images.count - 1])
    }
}
