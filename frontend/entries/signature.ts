// A page on which somebody signs.
import "../signature/pad";
