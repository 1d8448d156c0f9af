// The few words that scripts say themselves; everything else comes from the server.
const english = document.documentElement.lang === "en";

export const words = {
  left: english ? "" : "剩 ",
  leftAfter: english ? " left" : "",
  over: english ? "" : "超时 ",
  overAfter: english ? " over" : "",
  minutes: english ? " min" : " 分",
  hours: english ? " h" : " 小时",
  days: english ? " d" : " 天",
  inTime: english ? "In time" : "按时完成",
  late: english ? "Late " : "超时完成 ",
  copied: english ? "Copied" : "已复制",
  close: english ? "Close" : "关闭",
  confirm: english ? "Confirm" : "确定",
  cancel: english ? "Go back" : "返回",
  please: english ? "Please confirm" : "请确认",
  offline: english ? "The network is down. Nothing was saved; try again." : "网络不通，内容没有保存，请稍后重试。",
  kept: english ? "The network is down. What you typed is still here; send it again when the network is back." : "网络不通，尚未保存。填写的内容还在本页，网络恢复后请再次提交。",
  failed: english ? "The system could not answer. Nothing was saved." : "系统没有应答，内容没有保存，请稍后重试。",
  sound: english ? "Sound for critical values is off in this browser." : "浏览器尚未允许提示音，危急值将无声提示。",
  soundOn: english ? "Turn sound on" : "开启提示音",
  critical: english ? "A critical value needs you." : "有危急值需要您立即处理。",
  openNotices: english ? "Open notices" : "查看消息",
};
