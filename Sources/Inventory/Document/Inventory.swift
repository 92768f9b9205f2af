/// An *inventory* is a folder with a file `inventory.yaml` that defines images, and with the templates
/// of their Containerfiles.
public struct Inventory: Hashable, Sendable {
    /// The name of the file in the folder.
    public static let fileName = "inventory.yaml"

    public let parameters: [Parameter]
    /// The images in the order of the file.
    public let images: [InventoryImage]

    public func parameter(_ name: String) -> Parameter? { parameters.first { $0.name == name } }

    public func image(_ name: String) -> InventoryImage? { images.first { $0.name == name } }
}
